// The page of the settings: what the services say may be set, as a form; saved on top of the version that was read.

import { LANGUAGES, OPERATOR_MESSAGES, Words } from "../words.js";

const TOPICS = {
  hours: ["opening_hours", "time_zone"],
  songs: ["goal", "explicit", "oddities", "seasons", "genres", "allow", "block"],
  sound: ["player", "volume_min", "volume_max", "quiet_hours", "quiet_volume"],
  visit: ["language", "policy"],
};
const words = new Words(OPERATOR_MESSAGES);
const { t } = words;
const find = (selector) => document.querySelector(selector);
const fields = new Map(); // by name: the setting as the service has it, and its control
let version = null;

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

async function ask(path, method = "GET", body = undefined) {
  const answer = await fetch(`../api/v1/operator/${path}`, {
    method,
    headers: body === undefined ? {} : { "Content-Type": "application/json", "If-Match": `"${version}"` },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(20_000),
  });
  const said = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(said.error), { status: answer.status, setting: said.setting });
  return said.result;
}

/** What a control says; the same as the service's value where nobody has touched it. */
function given({ setting, control }) {
  if (setting.control === "flag") return control.checked;
  if (setting.control === "number") return control.value === "" ? null : Number(control.value);
  if (setting.control === "choice" && control.value === "") return null;
  return setting.control === "lines" ? control.value.replace(/\r\n/g, "\n") : control.value.trim();
}

const isChanged = (field) => given(field) !== field.setting.value;

function put(control, setting, value) {
  if (setting.control === "flag") control.checked = value;
  else control.value = value ?? "";
}

function shown(setting, value) {
  if (setting.control === "flag") return t(value ? "op_yes" : "op_no");
  if (setting.control === "choice") return choice(setting.name, value);
  return setting.control === "number" ? words.number(value) : value;
}

function choice(name, value) {
  if (name === "language") return value ? LANGUAGES[value] : t("op_choice_language_none");
  return t(`op_choice_${name}_${value}`);
}

function create(setting) {
  const id = `set-${setting.name}`;
  if (setting.control === "choice") {
    const values = setting.default === null ? [null, ...setting.choices] : setting.choices;
    return element("select", { id }, ...values.map((one) => new Option(choice(setting.name, one), one ?? "")));
  }
  if (setting.control === "lines") return element("textarea", { id, rows: 4, spellcheck: false, dir: "auto" });
  if (setting.control === "flag") return element("input", { id, type: "checkbox" });
  if (setting.control === "number") {
    return element("input", { id, type: "number", min: setting.minimum ?? "", max: setting.maximum ?? "", step: "any" });
  }
  return element("input", { id, type: "text", autocomplete: "off", spellcheck: false, dir: "ltr" });
}

function fieldOf(setting, isOwner) {
  const control = create(setting);
  const above = setting.set_by === "environment";
  control.disabled = above || !isOwner;
  const hints = [];
  if (setting.control === "text" || setting.control === "lines") hints.push(t(`op_hint_${setting.name}`));
  if (setting.default !== "") hints.push(t("op_default", { value: shown(setting, setting.default) }));
  if (!setting.live) hints.push(t("op_after_start"));
  const note = element("p", { className: "note", id: `note-${setting.name}` }, hints.join(" "));
  if (above) note.append(element("strong", {}, ` ${t("op_above", { variable: setting.variable })}`));
  control.setAttribute("aria-describedby", note.id);
  const label = element("label", { htmlFor: control.id }, t(`op_set_${setting.name}`));
  const box = element("div", { className: `field ${setting.control}` }, label, control, note);
  const field = { setting, control, box };
  control.addEventListener("input", () => {
    control.removeAttribute("aria-invalid");
    mark(field);
  });
  put(control, setting, setting.value);
  return field;
}

function mark(field) {
  field.box.classList.toggle("changed", isChanged(field));
  find("#submit").disabled = ![...fields.values()].some(isChanged);
}

/** Show what the services say; what somebody has typed and not saved stays. */
function show({ version: read, role, groups }, keep) {
  version = read;
  const typed = new Map(keep ? [...fields.values()].filter(isChanged).map((one) => [one.setting.name, given(one)]) : []);
  fields.clear();
  const settings = new Map(groups.flatMap((group) => group.settings.map((one) => [one.name, one])));
  for (const [topic, names] of Object.entries(TOPICS)) {
    const place = find(`[data-topic="${topic}"]`);
    place.replaceChildren();
    for (const name of names.filter((one) => settings.has(one))) {
      const field = fieldOf(settings.get(name), role === "owner");
      fields.set(name, field);
      place.append(field.box);
      if (typed.has(name) && !field.control.disabled) put(field.control, field.setting, typed.get(name));
    }
    if (!place.childElementCount) place.append(element("p", { className: "note" }, t("op_away")));
  }
  for (const field of fields.values()) mark(field);
  find("#staff").hidden = role === "owner";
  find("#save").hidden = role !== "owner";
  find("#audit-section").hidden = role !== "owner";
  const pending = [...settings.values()].filter((one) => one.pending).map(({ name }) => t(`op_set_${name}`));
  find("#pending").hidden = !pending.length;
  find("#pending").textContent = pending.length ? t("op_pending", { settings: list(pending) }) : "";
  return role;
}

const list = (names) => new Intl.ListFormat(words.language, { type: "conjunction" }).format(names);

async function look(keep = false) {
  const role = show(await ask("settings"), keep);
  if (role === "owner") showAudit(await ask("audit"));
}

function showAudit(entries) {
  const time = new Intl.DateTimeFormat(words.language, { dateStyle: "short", timeStyle: "medium" });
  const told = (one) => (one === null || one === undefined ? "–" : `${one}`.trim() || "–");
  const what = ({ what: deed, changes = {} }) =>
    Object.entries(changes)
      .map(([name, [before, after]]) => `${name}: ${told(before)} → ${told(after)}`)
      .join("\n") || deed;
  find("#audit").replaceChildren(
    ...entries.map((one) =>
      element(
        "tr",
        {},
        element("td", {}, element("time", { dateTime: one.at }, time.format(new Date(one.at)))),
        element("td", {}, `${t(`op_role_${one.role}`)}, ${one.address}`),
        element("td", { dir: "auto" }, what(one)),
      ),
    ),
  );
  if (!entries.length) find("#audit").append(element("tr", {}, element("td", { colSpan: 3 }, t("op_audit_none"))));
}

/** One line, as the server says it in English where there are no words for it. */
function say(text, reason = "") {
  find("#said").replaceChildren(text, ...(reason ? [" ", element("span", { lang: "en", dir: "ltr" }, reason)] : []));
}

async function save() {
  const changed = [...fields.values()].filter(isChanged);
  const valueOf = (field) => (given(field) === field.setting.default ? null : given(field));
  const values = Object.fromEntries(changed.map((field) => [field.setting.name, valueOf(field)]));
  find("#submit").disabled = true;
  try {
    show(await ask("settings", "PATCH", { values }), false);
    const later = changed.filter(({ setting }) => !setting.live).map(({ setting }) => t(`op_set_${setting.name}`));
    say(later.length ? t("op_saved_start", { settings: list(later) }) : t("op_saved"));
    showAudit(await ask("audit"));
  } catch (error) {
    find("#submit").disabled = false;
    if (error.status === 412) {
      await look(true);
      say(t("op_conflict"));
      return;
    }
    say(t("op_failed"), error.message);
    const wrong = fields.get(error.setting)?.control;
    wrong?.setAttribute("aria-invalid", "true");
    wrong?.focus();
  }
}

async function begin() {
  const wanted = Words.preferred();
  if (!(await words.speak(wanted))) await words.speak("en");
  for (const one of document.querySelectorAll("[data-text]")) one.textContent = t(one.dataset.text);
  for (const one of document.querySelectorAll("[data-label]")) one.setAttribute("aria-label", t(one.dataset.label));
  document.title = `Moodstream: ${t("op_settings")}`;
  find("#form").addEventListener("submit", (event) => {
    event.preventDefault();
    save();
  });
  try {
    await look();
  } catch (error) {
    say(t("op_failed"), error.message);
  }
}

begin();
