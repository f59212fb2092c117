// Settings as a form: what the services say may be set, with what is typed and not saved yet.

import { LANGUAGES } from "../words.js";
import { element, t, words } from "./parts.js";

/** What a control says; the same as the service's value where nobody has touched it. */
export function given({ setting, control }) {
  if (setting.control === "flag") return control.checked;
  if (setting.control === "number") return control.value === "" ? null : Number(control.value);
  if (setting.control === "choice" && control.value === "") return null;
  return setting.control === "lines" ? control.value.replace(/\r\n/g, "\n") : control.value.trim();
}

export const isChanged = (field) => given(field) !== field.setting.value;

/** What is to be saved of changed fields: null goes back to the default. */
export const valuesOf = (fields) =>
  Object.fromEntries(fields.map((one) => [one.setting.name, given(one) === one.setting.default ? null : given(one)]));

export function put({ control, setting }, value) {
  if (setting.control === "flag") control.checked = value;
  else control.value = value ?? "";
}

export const list = (names) => new Intl.ListFormat(words.language, { type: "conjunction" }).format(names);

function shown(setting, value) {
  if (setting.control === "flag") return t(value ? "op_yes" : "op_no");
  if (setting.control === "choice") return choice(setting.name, value);
  return setting.control === "number" ? words.number(value) : value;
}

function choice(name, value) {
  if (name === "language") return value ? LANGUAGES[value] : t("op_choice_language_none");
  return t(`op_choice_${name}_${value ?? "none"}`);
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
  const dir = setting.name.startsWith("site_") ? "auto" : "ltr";
  return element("input", { id, type: "text", autocomplete: "off", spellcheck: false, dir });
}

/** A label, a control and a note; `touched` is called with the field whenever somebody changes it. */
export function createField(setting, isOwner, touched) {
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
    touched(field);
  });
  put(field, setting.value);
  return field;
}

export const mark = (field) => field.box.classList.toggle("changed", isChanged(field));
