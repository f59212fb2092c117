// What the page says to the visitor: one sentence, the notice, how sure it is, and the moods to choose from.

import { element } from "./drawing.js";
import { MOODS, likeliest } from "./present.js";

const WITH_MOODS = ["hand", "mirror", "listen"];
const BEFORE_MOOD = ["attract", "hand", "wait"];
const SOURCES = ["face", "voice", "words"]; // that there are words for
const TOLD = { words: "told", voice: "heard" }; // what leads to a mood that somebody has told
const STANDS_IN = ["drawn", "simulated"]; // for a camera

/** Whether the camera of this place rests for a while, as it does after a Stop. */
const resting = ({ status }) => status?.code === "resting";

export class Mirror {
  #words;
  #find = (selector) => document.querySelector(selector);
  #said = null;

  constructor(words) {
    this.#words = words;
  }

  /** `mayHear`: whether visitors may switch a microphone on; `listening`: whether it is on; `heard`: whether one of the site
   * is on all the time. */
  show(view, { browserCamera, cameraOn, onDisk, mayWrite, mayHear, listening, heard }) {
    this.#sentence(view, listening);
    this.#write("#detail", this.#detail(view, { browserCamera, cameraOn, listening }));
    this.#write("#notice-where", onDisk ? this.#words.t("notice_disk") : this.#where(view));
    this.#write("#footer", view.stage === "ask" ? "" : this.#footer(view, { cameraOn, onDisk, mayHear, heard }));
    this.#find("#notice-heard").hidden = !heard;
    this.#write("#notice-heard", this.#heard(onDisk));
    this.#choices(view, { browserCamera, cameraOn, speak: mayHear && !listening });
    this.#moods(view);
    this.#find("#tell").hidden = !mayWrite || view.stage !== "hand";
  }

  /** Written only when it differs, or screen readers would say it again. */
  #write(selector, text) {
    const place = this.#find(selector);
    if (place.textContent !== text) place.textContent = text;
  }

  #sentence({ stage, word, chosen, told, passed, goodbye, mood, byHand }, listening) {
    const { t } = this.#words;
    const looks = told === "voice" && !byHand && mood?.faces > 0; // a voice beside a face is not what leads
    const [lead, said] =
      {
        attract: ["attract_lead", "attract"],
        ask: ["ask_lead", "ask"],
        hand: [listening ? "hand_heard" : "hand_lead", "hand"],
        wait: ["wait_lead", "wait"],
        goodbye: [goodbye === "declined" ? "declined_lead" : "goodbye_lead", "goodbye"],
        closed: ["closed_lead", "closed"],
        away: ["away_lead", "away"],
      }[stage] ??
      (MOODS.includes(word)
        ? [chosen ? "chosen" : told && !looks ? TOLD[told] : passed ? "looked" : "look", word]
        : ["unsure_lead", "unsure"]);
    const text = t(lead) + t(said);
    if (this.#said === text) return;
    this.#said = text;
    this.#find("#lead").textContent = t(lead);
    this.#find("#word").textContent = t(said);
  }

  #detail(view, { browserCamera, cameraOn, listening }) {
    const { t } = this.#words;
    const { stage, staying, goodbye, opensAt, word, mood, chosen } = view;
    if (stage === "attract" && resting(view)) return t("declined_detail");
    if (stage === "attract") return t(cameraOn ? "attract_detail" : browserCamera ? "attract_own" : "attract_hand");
    if (stage === "ask") return staying ? t("stay", { seconds: this.#words.seconds(staying.leftS) }) : "";
    if (stage === "wait") return t("wait_detail");
    if (stage === "hand") return listening ? t("hand_detail") : "";
    if (stage === "goodbye") return t(goodbye === "declined" ? "declined_detail" : "goodbye_detail");
    if (stage === "closed") return opensAt ? t("closed_until", { time: this.#words.time(opensAt) }) : "";
    if (!["mirror", "listen"].includes(stage) || chosen) return "";
    if (!MOODS.includes(word)) return t("unsure_detail");
    const many =
      mood.faces < 2
        ? ""
        : t(mood.policy === "largest" ? "faces" : "faces_together", { count: this.#words.number(mood.faces) });
    const sources = (mood.sources ?? [])
      .filter(({ kind }) => SOURCES.includes(kind))
      .map(({ kind, probabilities }) => t(`source_${kind}`, { mood: t(likeliest(probabilities)) }));
    return [t("sure", { percent: this.#words.percent(mood.confidence) }), many, ...sources].filter(Boolean).join(" · ");
  }

  #where({ own }) {
    const here = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);
    return own && !here ? this.#words.t("notice_there", { host: location.host }) : this.#words.t("notice_here");
  }

  #footer({ stage, own }, { cameraOn, onDisk, mayHear, heard }) {
    const { t } = this.#words;
    if (["closed", "away"].includes(stage)) return "";
    const on = cameraOn || own;
    const camera = t(!on ? "notice_off" : onDisk ? "notice_disk" : heard ? "notice_both" : "notice_short");
    if (heard) return on && !onDisk ? camera : `${camera} ${this.#heard(onDisk)}`;
    // later the switch itself is there to be seen
    return mayHear && BEFORE_MOOD.includes(stage) ? `${camera} ${t("notice_voice")}` : camera;
  }

  /** Of a microphone that is on all the time. */
  #heard(onDisk) {
    return this.#words.t(onDisk ? "voice_disk" : "notice_heard");
  }

  #choices({ stage, own, status }, { browserCamera, cameraOn, speak }) {
    const stands = STANDS_IN.includes(status?.code);
    const wanted = {
      agree: stage === "ask",
      "own-camera":
        browserCamera &&
        ((stage === "attract" && !resting({ status })) || (stands && !own && ["ask", "mirror"].includes(stage))),
      "by-hand": ["attract", "ask", "wait"].includes(stage),
      speak: speak && ["attract", "hand"].includes(stage),
      decline: stage === "ask",
    };
    for (const [id, shown] of Object.entries(wanted)) this.#find(`#${id}`).hidden = !shown;
    this.#find("#own-camera").classList.toggle("loud", stage === "attract" && !cameraOn);
    this.#find("#choices").hidden = !Object.values(wanted).some(Boolean);
  }

  #moods({ stage, mood, chosen, word }) {
    this.#find("#moods").hidden = !WITH_MOODS.includes(stage);
    const { t } = this.#words;
    const reads = stage !== "hand" && !chosen && mood?.probabilities;
    this.#write("#moods-title", t(stage === "hand" || chosen || !MOODS.includes(word) ? "choose" : "not_right"));
    for (const name of MOODS) {
      const button = this.#find(`button[data-mood=${name}]`);
      const share = reads ? this.#words.percent(mood.probabilities[name]) : "";
      const label = reads ? t("choose_one_now", { mood: t(name), percent: share }) : t("choose_one", { mood: t(name) });
      if (button.getAttribute("aria-label") === label) continue;
      button.setAttribute("aria-label", label);
      button.replaceChildren(t(name), ...(reads ? [" ", element("small", { textContent: share })] : []));
    }
  }
}
