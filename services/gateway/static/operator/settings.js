// The page of the settings: what the services say may be set, as a form; saved on top of the version that was read.

import { createField, given, isChanged, list, mark, put, valuesOf } from "./fields.js";
import { ask, element, find, say as tell, speak, t, words } from "./parts.js";

const TOPICS = {
  hours: ["site_name", "site_contact", "site_colour", "opening_hours", "time_zone", "site_law"],
  songs: ["goal", "explicit", "oddities", "seasons", "genres", "allow", "block"],
  sound: ["player", "volume_min", "volume_max", "quiet_hours", "quiet_volume"],
  visit: ["language", "policy"],
};
const fields = new Map(); // by name: the setting as the service has it, and its control
let version = null;

function touched() {
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
      const field = createField(settings.get(name), role === "owner", touched);
      fields.set(name, field);
      place.append(field.box);
      if (typed.has(name) && !field.control.disabled) put(field, typed.get(name));
    }
    if (!place.childElementCount) place.append(element("p", { className: "note" }, t("op_away")));
  }
  for (const field of fields.values()) mark(field);
  touched();
  find("#staff").hidden = role === "owner";
  find("#save").hidden = role !== "owner";
  find("#audit-section").hidden = role !== "owner";
  const pending = [...settings.values()].filter((one) => one.pending).map(({ name }) => t(`op_set_${name}`));
  find("#pending").hidden = !pending.length;
  find("#pending").textContent = pending.length ? t("op_pending", { settings: list(pending) }) : "";
  return role;
}

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

const say = (text, reason = "") => tell(find("#said"), text, reason);

async function save() {
  const changed = [...fields.values()].filter(isChanged);
  const values = valuesOf(changed);
  find("#submit").disabled = true;
  try {
    show(await ask("settings", "PATCH", { values }, { "If-Match": `"${version}"` }), false);
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
  await speak("op_settings");
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
