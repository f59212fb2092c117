// The mood: one sentence, how sure it is, and its place on the plane of pleasantness and energy.

import { svg } from "./drawing.js";
import { MOODS } from "./present.js";

const REACH = 70; // how far a mood of full strength lies from the centre of the drawing
const TRAIL = 7;
const percent = (share) => Math.round(share * 100);

export class Mirror {
  #t;
  #find = (selector) => document.querySelector(selector);
  #past = [];
  #said = null;

  constructor(t) {
    this.#t = t;
  }

  show(view) {
    document.body.dataset.mood = view.word;
    this.#sentence(view);
    this.#confidence(view);
    this.#shares(view);
    this.#place(view);
  }

  #sentence({ word, mood, stale, chosen }) {
    const t = this.#t;
    const [lead, said] = word === "nobody" ? [t(stale ? "stale_lead" : "nobody_lead"), t("nobody")]
      : word === "unsure" ? [t("unsure_lead"), t("unsure")]
      : [t(chosen ? "chosen" : "look"), t(word)];
    if (this.#said !== lead + said) {
      this.#said = lead + said;
      this.#find("#lead").textContent = lead;
      this.#find("#word").textContent = said;
    }
    this.#find("#detail").textContent = this.#detail(word, mood, chosen);
    this.#find("#notice").hidden = word !== "nobody";
  }

  #detail(word, mood, chosen) {
    const t = this.#t;
    if (word === "nobody") return t("nobody_detail");
    if (word === "unsure") return t("unsure_detail");
    const sure = chosen ? "" : t("sure", { percent: percent(mood.confidence) });
    const faces = mood.faces < 2 ? "" : t(mood.policy === "largest" ? "faces" : "faces_together", { count: mood.faces });
    return [sure, faces].filter(Boolean).join(" · ");
  }

  #confidence({ word, mood, chosen }) {
    const meter = this.#find("#confidence");
    meter.hidden = !MOODS.includes(word) || chosen;
    if (meter.hidden) return;
    meter.setAttribute("aria-valuenow", percent(mood.confidence));
    meter.setAttribute("aria-label", this.#t("sure", { percent: percent(mood.confidence) }));
    meter.style.setProperty("--share", mood.confidence);
  }

  #shares({ word, mood, chosen }) {
    const shares = mood?.probabilities;
    this.#find("#dial-title").textContent = this.#t(MOODS.includes(word) ? "not_right" : "choose");
    for (const name of MOODS) {
      const share = shares?.[name] ?? 0;
      const arc = this.#find(`.arc[data-mood=${name}]`);
      arc.style.strokeDasharray = `${share * 100} 200`;
      arc.style.strokeDashoffset = `${-(1 - share) * 50}`; // grows from the middle of its quadrant
      arc.style.opacity = share < 0.01 ? 0 : 1;
      const button = this.#find(`button[data-mood=${name}]`);
      button.replaceChildren(this.#t(name));
      const told = shares && !chosen;
      if (told) button.append(" ", Object.assign(document.createElement("small"), { textContent: `${percent(share)} %` }));
      button.setAttribute("aria-label", told
        ? this.#t("choose_one_now", { mood: this.#t(name), percent: percent(share) })
        : this.#t("choose_one", { mood: this.#t(name) }));
    }
  }

  #place({ mood }) {
    const [valence, arousal] = mood ? [mood.valence, mood.arousal] : [0, 0];
    const style = document.documentElement.style;
    style.setProperty("--valence", valence);
    style.setProperty("--arousal", arousal);
    this.#find("#place").style.transform = `translate(${valence * REACH}px, ${-arousal * REACH}px)`;
    this.#find("#plane-title").textContent = mood
      ? this.#t("plane", { valence: percent(valence), arousal: percent(arousal) })
      : this.#t("plane_empty");
    this.#trail(mood ? [valence * REACH, -arousal * REACH] : null);
  }

  #trail(point) {
    const last = this.#past.at(-1);
    if (!point) this.#past = [];
    else if (!last || Math.hypot(last[0] - point[0], last[1] - point[1]) > 6) this.#past = [...this.#past, point].slice(-TRAIL);
    const dots = this.#past.slice(0, -1).map(([cx, cy], index) =>
      svg("circle", { cx, cy, r: 1.5 + index * 0.4, opacity: (0.1 + index * 0.08).toFixed(2) }));
    this.#find("#trail").replaceChildren(...dots);
  }
}
