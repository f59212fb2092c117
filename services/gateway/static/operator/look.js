// The look of the place: its logo, colour, name and texts, with a preview; pages have them at once or when loaded anew.

import { LANGUAGES, Words } from "../words.js";
import { createField, isChanged, valuesOf } from "./fields.js";
import { ask, element, find, say, send, speak, t, words } from "./parts.js";

const RASTER = [
  ["image/jpeg", [0xff, 0xd8, 0xff]],
  ["image/webp", [0x52, 0x49, 0x46, 0x46]],
];
const MAX_SIDE = 800;
const PLACE = ["site_name", "site_colour"];
const shown = { version: null, fields: new Map(), texts: [], isOwner: false };

/** JPEG and WebP become PNG here; whatever else it is goes as it is, for the server to look at. */
async function asPng(file) {
  const head = new Uint8Array(await file.slice(0, 4).arrayBuffer());
  if (!RASTER.some(([, bytes]) => bytes.every((byte, at) => head[at] === byte))) return file;
  const picture = await createImageBitmap(file);
  const scale = Math.min(1, MAX_SIDE / Math.max(picture.width, picture.height));
  const canvas = element("canvas", { width: picture.width * scale, height: picture.height * scale });
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

async function sendLogo({ target }) {
  const [file] = target.files;
  target.value = "";
  if (!file) return;
  try {
    const { logo } = await send("look/logo", await asPng(file), () => {}, new AbortController().signal);
    showLogo(logo);
    say(find("#logo-said"), t("op_saved"));
  } catch (error) {
    say(find("#logo-said"), error.lost ? t("op_import_lost_table") : t("op_failed"), error.lost ? "" : error.message);
  }
}

function showLogo(logo) {
  find("#logo").hidden = !logo;
  if (logo) find("#logo").src = `../look/logo.png?${logo}`;
  find("#remove").hidden = !logo || !shown.isOwner;
}

async function removeLogo() {
  try {
    showLogo((await ask("look/logo", "DELETE")).logo);
    say(find("#logo-said"), t("op_saved"));
  } catch (error) {
    say(find("#logo-said"), t("op_failed"), error.message);
  }
}

async function readPlace() {
  const { version, role, groups } = await ask("settings");
  shown.version = version;
  shown.isOwner = role === "owner";
  const settings = new Map(groups.flatMap((group) => group.settings.map((one) => [one.name, one])));
  for (const name of PLACE) shown.fields.set(name, createField(settings.get(name), shown.isOwner, preview));
  find("#place").replaceChildren(...[...shown.fields.values()].map(({ box }) => box));
  find("#staff").hidden = shown.isOwner;
  for (const one of document.querySelectorAll(".owners")) one.hidden = !shown.isOwner;
}

async function savePlace() {
  const changed = [...shown.fields.values()].filter(isChanged);
  if (!changed.length) return;
  try {
    await ask("settings", "PATCH", { values: valuesOf(changed) }, { "If-Match": `"${shown.version}"` });
    await readPlace();
    preview();
    say(find("#place-said"), t("op_saved"));
  } catch (error) {
    if (error.status === 412) await readPlace();
    say(
      find("#place-said"),
      error.status === 412 ? t("op_setup_conflict") : t("op_failed"),
      error.status === 412 ? "" : error.message,
    );
  }
}

async function readTexts() {
  const told = await ask(`look?${new URLSearchParams({ language: find("#language").value })}`);
  showLogo(told.logo);
  showTexts(told);
}

function showTexts({ language, texts }) {
  shown.texts = texts.map(({ key, page, own }) => {
    const input = element("input", {
      id: `text-${key}`,
      value: own,
      placeholder: page,
      maxLength: 200,
      disabled: !shown.isOwner,
    });
    Object.assign(input, { lang: language, dir: "auto", type: "text", autocomplete: "off" });
    input.addEventListener("input", preview);
    const label = element("label", { htmlFor: input.id, lang: language, dir: "auto" }, page);
    return { key, page, input, box: element("div", { className: "field" }, label, input) };
  });
  find("#texts").replaceChildren(...shown.texts.map(({ box }) => box));
  preview();
}

async function saveTexts() {
  const texts = Object.fromEntries(shown.texts.map(({ key, input }) => [key, input.value.trim()]));
  try {
    showTexts(await ask("look", "POST", { language: find("#language").value, texts }));
    say(find("#texts-said"), t("op_look_saved"));
  } catch (error) {
    say(find("#texts-said"), t("op_failed"), error.message);
  }
}

/** What is typed now, as visitors would see it while nobody is there. */
function preview() {
  const text = (wanted) => {
    const found = shown.texts.find(({ key }) => key === wanted);
    return found ? found.input.value.trim() || found.page : "";
  };
  find("#shown-name").textContent = shown.fields.get("site_name")?.control.value || "Moodstream";
  find("#shown-lead").textContent = text("attract_lead");
  find("#shown-title").textContent = text("attract");
  const colour = shown.fields.get("site_colour")?.control.value ?? "";
  if (/^#[0-9a-f]{6}$/i.test(colour)) find("#preview").style.setProperty("--place", colour);
  else find("#preview").style.removeProperty("--place");
}

async function begin() {
  await speak("op_look");
  find("#language").append(...Object.entries(LANGUAGES).map(([code, name]) => new Option(name, code)));
  find("#language").value = words.language ?? Words.preferred();
  find("#choose").addEventListener("click", () => find("#file").click());
  find("#file").addEventListener("change", sendLogo);
  find("#remove").addEventListener("click", removeLogo);
  find("#save-place").addEventListener("click", savePlace);
  const tell = (error) => say(find("#logo-said"), t("op_setup_unknown"), error.message);
  find("#language").addEventListener("change", () => readTexts().catch(tell));
  find("#texts").addEventListener("submit", (event) => {
    event.preventDefault();
    saveTexts();
  });
  await readPlace().then(readTexts).catch(tell);
}

begin();
