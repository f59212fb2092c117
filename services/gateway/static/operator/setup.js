// The set-up: a step at a time, each saved as the settings page does it; it can be left, and begun again, at any step.

import { createField, isChanged, list, mark, put, valuesOf } from "./fields.js";
import { beginImport } from "./import.js";
import { api, ask, element, english, find, say, speak, t } from "./parts.js";
import { View } from "./view.js";

const STEPS = ["place", "camera", "sound", "songs", "language", "sign", "end"];
const LOOK_MS = 2_000;
const TONE_S = 1.2;
const EU_ZONES = /^(Europe|Atlantic\/(Canary|Madeira|Azores))/;
const fields = new Map();
const now = { step: "place", version: null, role: "staff", going: Promise.resolve() };
const view = new View();

/** The fields of all steps, as the services have them now; what was typed and not saved is gone. */
async function readSettings() {
  const { version, role, groups } = await ask("settings");
  Object.assign(now, { version, role });
  const settings = new Map(groups.flatMap((group) => group.settings.map((one) => [one.name, one])));
  fields.clear();
  for (const place of document.querySelectorAll("[data-fields]")) {
    const made = place.dataset.fields.split(" ").filter((name) => settings.has(name));
    place.replaceChildren(
      ...made.map((name) => {
        const field = createField(settings.get(name), role === "owner", () => {});
        fields.set(name, field);
        return field.box;
      }),
    );
    if (!made.length) place.append(element("p", { className: "note" }, t("op_away")));
  }
  const zone = fields.get("time_zone");
  if (zone) zone.control.placeholder = Intl.DateTimeFormat().resolvedOptions().timeZone;
  find("#staff").hidden = role === "owner";
  proposeLaw(fields.get("site_law"));
  showLaw();
}

/** Where nobody has said which law holds, the time zone of this browser is asked; it is stored with the step. */
function proposeLaw(law) {
  if (!law || law.control.disabled || law.setting.value !== null) return;
  put(law, EU_ZONES.test(Intl.DateTimeFormat().resolvedOptions().timeZone) ? "eu" : "other");
  mark(law);
}

const fieldsOf = (step) => [...fields.values()].filter(({ box }) => find(`#${step}`).contains(box));

/** Save what was changed in this step. False where it was not taken, which is said. */
async function save() {
  const changed = fieldsOf(now.step).filter(isChanged);
  if (!changed.length) return true;
  try {
    await ask("settings", "PATCH", { values: valuesOf(changed) }, { "If-Match": `"${now.version}"` });
  } catch (error) {
    if (error.status === 412) {
      await readSettings();
      say(find("#said"), t("op_setup_conflict"));
      return false;
    }
    say(find("#said"), t("op_failed"), error.message);
    const wrong = fields.get(error.setting)?.control;
    wrong?.setAttribute("aria-invalid", "true");
    wrong?.focus();
    return false;
  }
  const later = changed.filter(({ setting }) => !setting.live).map(({ setting }) => t(`op_set_${setting.name}`));
  await readSettings();
  say(find("#said"), later.length ? t("op_saved_start", { settings: list(later) }) : t("op_saved"));
  return true;
}

/** One step after the other, however quickly somebody presses. */
function go(step, saves = true) {
  now.going = now.going.then(() => show(step, saves));
  return now.going;
}

async function show(step, saves) {
  find("#said").textContent = "";
  find("#next").disabled = true;
  const saved = !saves || now.role !== "owner" || (await save());
  find("#next").disabled = false;
  if (!saved) return;
  if (now.step === "camera" && step !== "camera" && !find("#view").hidden) view.stop();
  now.step = step;
  history.replaceState(null, "", `#${step}`);
  for (const one of STEPS) find(`#${one}`).hidden = one !== step;
  for (const link of document.querySelectorAll("#steps a")) {
    if (link.hash === `#${step}`) link.setAttribute("aria-current", "step");
    else link.removeAttribute("aria-current");
  }
  find("#back").hidden = step === STEPS[0];
  find("#next").textContent = t(step === "end" ? "op_setup_finish" : "op_setup_next");
  if (step === "end") showEnd();
}

async function showCameras() {
  if (now.step === "camera") {
    try {
      const status = await ask("status");
      const names = Object.keys(status.cameras).sort();
      const shown = JSON.stringify(names.map((name) => [name, status.cameras[name].state, status.cameras[name].reason]));
      if (find("#cameras").dataset.shown !== shown) {
        find("#cameras").dataset.shown = shown;
        find("#cameras").replaceChildren(...names.map((name) => camera(name, status.cameras[name], status.preview)));
        if (!names.length) find("#cameras").append(element("li", {}, t("op_setup_no_camera")));
      }
    } catch (error) {
      say(find("#said"), t("op_setup_unknown"), error.message);
    }
  }
  setTimeout(showCameras, LOOK_MS);
}

function camera(name, { state, reason }, preview) {
  const told = element("span", { className: "state" }, `${name}: ${t(`op_setup_state_${state}`)} `);
  told.dataset.state = state;
  if (reason) told.append(english(reason, { className: "note" }));
  const look = element("button", { type: "button", disabled: now.role !== "owner" || preview === "off" }, t("op_setup_view"));
  look.setAttribute("aria-label", `${t("op_setup_view")}: ${name}`);
  look.addEventListener("click", () => view.start(name));
  return element("li", {}, told, look);
}

/** Two notes out of this device's own loudspeaker. */
function playTone() {
  const context = new AudioContext();
  const loudness = new GainNode(context, { gain: 0.2 });
  loudness.connect(context.destination);
  for (const [at, frequency] of [
    [0, 440],
    [TONE_S / 2, 660],
  ]) {
    const tone = new OscillatorNode(context, { frequency });
    tone.connect(loudness);
    tone.start(context.currentTime + at);
    tone.stop(context.currentTime + at + TONE_S / 2);
    tone.addEventListener("ended", () => at && context.close());
  }
  say(find("#sound-said"), t("op_setup_tone_played"));
}

/** A song where songs play here; the player says what it lacks. */
async function playSong() {
  try {
    const { songs } = await api("songs/offer?mood=calm");
    await api("player", "POST", { command: "play", song: songs[0].id });
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const { output, song, message } = await api("player");
    const names = song ? [song.title, song.artist].filter(Boolean).join(", ") : "–";
    const where = t(["browser", "house"].includes(output) ? "op_setup_played_page" : "op_setup_played", { song: names });
    say(find("#sound-said"), where, message);
  } catch (error) {
    say(find("#sound-said"), t("op_failed"), error.message);
  }
}

async function showEnd() {
  try {
    const { addresses, others, listens_on, scheme } = await ask("address");
    const [address] = addresses;
    find("#address").replaceChildren(element("a", { href: address, dir: "ltr" }, address));
    find("#code").src = `../api/v1/qr?${new URLSearchParams({ text: address })}`;
    find("#code").alt = t("op_setup_code", { address });
    find("#code").hidden = !others;
    find("#address-note").textContent = t(others ? "op_setup_open" : "op_setup_only_here", { address: listens_on });
    const points = others && scheme === "http" ? [t("op_setup_https")] : [];
    find("#open-points").replaceChildren(...points.map((text) => element("li", {}, text)));
  } catch (error) {
    say(find("#said"), t("op_setup_unknown"), error.message);
  }
}

function showLaw() {
  const law = fields.get("site_law")?.control.value;
  find("#law-says").textContent = law ? t(`op_setup_law_${law}_says`) : "";
}

/** The section of the page of the songs, which can do all of it. */
async function takeImport() {
  const page = new DOMParser().parseFromString(await (await fetch("songs")).text(), "text/html");
  find("#import-place").replaceChildren(document.adoptNode(page.querySelector("#own")));
}

async function begin() {
  await takeImport();
  await speak("op_setup");
  find("#steps").replaceChildren(
    ...STEPS.map((step) => {
      const link = element("a", { href: `#${step}` }, t(`op_setup_${step}`));
      link.addEventListener("click", (event) => {
        event.preventDefault();
        go(step);
      });
      return element("li", {}, link);
    }),
  );
  find("#next").addEventListener("click", () => {
    const next = STEPS[STEPS.indexOf(now.step) + 1];
    if (next) go(next);
    else location.assign("../operator");
  });
  find("#back").addEventListener("click", () => go(STEPS[STEPS.indexOf(now.step) - 1]));
  find("#tone").addEventListener("click", playTone);
  find("#play").addEventListener("click", playSong);
  find("#pause").addEventListener("click", () =>
    api("player", "POST", { command: "pause" }).catch((error) => say(find("#sound-said"), t("op_failed"), error.message)),
  );
  find("#place").addEventListener("change", showLaw);
  try {
    await readSettings();
    beginImport(now.role === "owner");
  } catch (error) {
    say(find("#said"), t("op_failed"), error.message);
  }
  await go(STEPS.find((step) => location.hash === `#${step}`) ?? "place", false);
  showCameras();
}

begin();
