// A card for each camera: how it does, when its last picture came, the mood there, and what an operator may do.

import { moodName } from "./chart.js";
import { element, english, find, t, words } from "./parts.js";

const MOODS = ["angry", "happy", "sad", "calm"];
const RESTS = ["resting", "closed"]; // codes of a camera that comes back by itself

export class Cameras {
  #act;
  #view;

  /** `act` does what is pressed, `view` looks through a camera. */
  constructor(act, view) {
    this.#act = act;
    this.#view = view;
  }

  show(status) {
    const names = Object.keys(status.cameras).sort();
    if (!names.includes(status.site.camera_id)) names.unshift(status.site.camera_id);
    const shown = JSON.stringify(names);
    if (find("#cameras").dataset.shown !== shown) {
      find("#cameras").dataset.shown = shown;
      find("#cameras").replaceChildren(...names.map((name) => this.#card(name)));
      find("#cameras-section").classList.toggle("wide", names.length > 1);
    }
    for (const button of document.querySelectorAll("[data-view]")) button.hidden = status.preview === "off";
    for (const name of names) fill(name, status.cameras[name] ?? { state: "unknown", last_frame_at: null });
  }

  /** The buttons stay what they are from look to look, and with them the focus. */
  #card(camera) {
    const button = (text, dataset, press, more = {}) => {
      const made = element("button", { type: "button", dataset, ...more }, text);
      made.addEventListener("click", press);
      return made;
    };
    const puppet = MOODS.map((mood) => {
      const done = t("op_puppet_done", { camera, mood: t(mood) });
      return button(t(mood), { mood }, () => this.#act("moods", { mood, camera_id: camera }, done));
    });
    const ended = t("op_restarted_visit", { camera });
    const end = () => this.#act("sessions/end", { camera_id: camera }, ended);
    const mount = { className: "owners", title: t("op_mount_title") };
    const group = element(
      "div",
      { className: "row" },
      ...puppet,
      button(t("op_restart_visit"), { restart: camera }, end),
      button(t("op_mount"), { view: camera }, () => this.#view.start(camera), mount),
    );
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", t("op_puppet", { camera }));
    return element("article", { dataset: { camera } }, element("h3", { className: "state" }, camera), element("dl"), group);
  }
}

function fill(name, camera) {
  const facts = [
    [t("op_setup_camera"), works(camera)],
    [
      t("op_last_picture"),
      [camera.last_frame_at ? `${clock(camera.last_frame_at)}, ${ago(camera.last_frame_at)}` : t("op_no_picture")],
    ],
    [t("op_songs_mood"), [camera.visited ? mood(camera) : t("op_nobody")]],
    [t("op_faces"), [words.number(camera.faces ?? 0)]],
  ];
  const card = find(`article[data-camera="${CSS.escape(name)}"]`);
  card.querySelector("h3").dataset.state = RESTS.includes(camera.code) ? "off" : camera.state;
  card
    .querySelector("dl")
    .replaceChildren(...facts.flatMap(([what, told]) => [element("dt", {}, what), element("dd", {}, ...told)]));
}

/** How a camera does, and why, as the page has words for it; what needs somebody also as the service says it. */
function works({ state, code, reason }) {
  const key = `op_code_${code}`;
  const why = words.has(key) && words.language !== "en" ? [t(key)] : [];
  if (reason && (!why.length || (state !== "online" && !RESTS.includes(code)))) why.push(english(reason));
  const told = RESTS.includes(code) ? why : [t(`op_setup_state_${state}`), ...why];
  return told.flatMap((part, place) => (place ? [place > 1 ? "; " : ": ", part] : [part]));
}

const mood = ({ mood: name, confidence, session_since: since }) =>
  t("op_mood_since", { mood: moodName(name), percent: words.percent(confidence), time: clock(since) });

export const clock = (iso) => new Date(iso).toLocaleTimeString(words.language === "en" ? "en-GB" : words.language);

function ago(iso) {
  return since(Math.max(0, Math.round((Date.now() - Date.parse(iso)) / 1000)));
}

/** So many seconds ago. */
export function since(seconds) {
  const [count, unit] = seconds < 120 ? [seconds, "second"] : [Math.round(seconds / 60), "minute"];
  return new Intl.RelativeTimeFormat(words.language, { style: "narrow" }).format(-count, unit);
}
