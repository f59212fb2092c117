// The one light of the page: a moon that sleeps while nobody is there and makes the face of the mood it reads. Its
// colour is mixed from those of the four moods, as far as each is believed; its breath goes with the energy.

import { MOODS, likeliest } from "./present.js";

// lightness, and the two colour axes of OKLab, of what glows, of the light behind it and of the ground
const COLOURS = {
  angry: { accent: [0.8, 0.1036, 0.0699], glow: [0.52, 0.1501, 0.0798], ground: [0.185, 0.0417, 0.0169] },
  happy: { accent: [0.88, 0.0049, 0.1399], glow: [0.53, 0.0393, 0.1081], ground: [0.205, 0.0116, 0.0319] },
  sad: { accent: [0.81, -0.023, -0.0922], glow: [0.45, -0.0174, -0.1238], ground: [0.18, -0.0063, -0.0446] },
  calm: { accent: [0.85, -0.1089, 0.0153], glow: [0.5, -0.095, 0], ground: [0.19, -0.0339, -0.003] },
};
const NIGHT = { accent: [0.85, -0.007, -0.0495], glow: [0.42, 0.001, -0.06], ground: [0.175, -0.0019, -0.0219] };
const UNSURE = { accent: [0.86, 0.0344, -0.0491], glow: [0.48, 0.0459, -0.0655], ground: [0.19, 0.0161, -0.0229] };
// by day: ink on paper instead of light in the dark
const DAY = { accent: 0.46, glow: 0.86, ground: 0.97 };
const PALE = { accent: 1, glow: 0.55, ground: 0.35 }; // of the colour's strength
const ASLEEP = { valence: 0.25, arousal: -1, open: 0 };

const BLINK_MS = 140;

/** The hue of the place in the lightness that letters need, whatever colour it is. */
const ofPlace = (place, light) =>
  Object.fromEntries(
    Object.entries(NIGHT).map(([name, [lightness, ...axes]]) => {
      const strength = 1.6 * Math.hypot(...axes) * (light ? PALE[name] : 1);
      const shown = light ? DAY[name] : lightness;
      return [name, `oklch(from ${place} ${shown} min(c, ${strength.toFixed(3)}) h)`];
    }),
  );

export class Moon {
  #find = (selector) => document.querySelector(selector);

  constructor() {
    if (!matchMedia("(prefers-reduced-motion: reduce)").matches) this.#blinkLater();
  }

  #blinkLater() {
    const scene = this.#find("#scene");
    setTimeout(
      () => {
        scene.dataset.blink = "";
        setTimeout(() => {
          delete scene.dataset.blink;
          this.#blinkLater();
        }, BLINK_MS);
      },
      3_000 + 4_000 * Math.random(),
    );
  }

  /** `light`: on a light ground; `place`: the colour of the place, for while nobody is there. */
  show({ stage, word, mood, staying }, light = false, place = "") {
    const awake = !["attract", "goodbye", "closed", "away"].includes(stage);
    const reading = ["mirror", "listen"].includes(stage) && mood;
    const { valence, arousal } = reading ? mood : { valence: 0.3, arousal: 0 };
    const style = document.body.style;
    const colours = !reading && place ? ofPlace(place, light) : this.#colours(reading ? word : "nobody", mood, light);
    for (const [name, colour] of Object.entries(colours)) style.setProperty(`--${name}`, colour);
    style.setProperty("--valence", reading ? valence : 0);
    style.setProperty("--arousal", reading ? arousal : -0.6);
    style.setProperty("--tempo", `${(5.6 - 3.2 * (reading ? arousal : -0.6)).toFixed(1)}s`);
    this.#face(awake ? { valence, arousal, open: reading || stage !== "ask" ? 1 : 0.85 } : ASLEEP);
    this.#shares(reading ? mood.probabilities : null);
    this.#sources(reading ? (mood.sources ?? []) : []);
    const waiting = this.#find(".waiting");
    waiting.style.strokeDashoffset = staying ? (100 * (staying.ofS - staying.leftS + 1)) / staying.ofS - 100 : 100;
    waiting.style.opacity = staying ? 1 : 0;
  }

  #colours(word, mood, light) {
    const shares = mood?.probabilities;
    const parts =
      word === "nobody" || !shares
        ? [[1, NIGHT]]
        : word === "unsure"
          ? [[1, UNSURE]]
          : MOODS.map((name) => [shares[name] ** 2, COLOURS[name]]); // the leading mood shall be seen to lead
    const total = parts.reduce((sum, [weight]) => sum + weight, 0) || 1;
    const mix = (name) =>
      [0, 1, 2].map((axis) => parts.reduce((sum, [weight, set]) => sum + (weight * set[name][axis]) / total, 0));
    if (light)
      return Object.fromEntries(
        Object.entries(DAY).map(([name, lightness]) => {
          const [, a, b] = mix(name);
          return [name, `oklab(${lightness} ${(PALE[name] * a).toFixed(4)} ${(PALE[name] * b).toFixed(4)})`];
        }),
      );
    return Object.fromEntries(
      ["accent", "glow", "ground"].map((name) => [
        name,
        `oklab(${mix(name)
          .map((part) => part.toFixed(4))
          .join(" ")})`,
      ]),
    );
  }

  /** Few lines: lids, brows, a mouth. All paths keep their form, so that browsers can move from one to the next. */
  #face({ valence, arousal, open }) {
    const [pleased, lively] = [Math.max(0, valence), Math.max(0, arousal)];
    const [cross, low] = [Math.max(0, -valence) * lively, Math.max(0, -valence) * Math.max(0, -arousal)];
    const wake = (awake, asleep) => awake * open + asleep * (1 - open);
    const half = wake(7 + 4 * pleased * lively, 11);
    const up = wake(9.5 + 2 * lively - 4 * low - 2.5 * pleased * (1 - lively) - 2 * cross, -6);
    const down = wake(9.5 - 19 * pleased * lively - 2 * pleased * (1 - lively), 6);
    for (const [number, side] of [
      [1, -1],
      [2, 1],
    ]) {
      const x = 27 * side;
      const [inner, outer] = [(9 * cross - 9 * low) * open, (-5 * cross + 3 * low) * open];
      this.#draw(
        `#eye-${number}`,
        `M${x - half} -10 C${x - half} ${-10 - 1.33 * up} ${x + half} ${-10 - 1.33 * up} ${x + half} -10` +
          ` C${x + half} ${-10 + 1.33 * down} ${x - half} ${-10 + 1.33 * down} ${x - half} -10`,
      );
      this.#draw(
        `#brow-${number}`,
        `M${x - 14 * side} ${-34 + inner} Q${x} ${-39 + (inner + outer) / 2} ${x + 14 * side} ${-34 + outer}`,
      );
      this.#find(`#brow-${number}`).style.opacity = Math.min(1, 2.2 * (cross + low)) * open;
    }
    const bend = 26 * valence;
    const gap = 20 * pleased * lively + 4 * cross;
    const wide = 22 + 10 * pleased * lively - 6 * cross;
    this.#draw(
      "#mouth",
      `M${-wide} ${34 - bend / 4} Q0 ${34 + bend} ${wide} ${34 - bend / 4} Q0 ${34 + bend + 2 * gap} ${-wide} ${34 - bend / 4}`,
    );
  }

  #draw(selector, path) {
    const place = this.#find(selector);
    place.setAttribute("d", path);
    place.style.d = `path("${path}")`; // the one that moves, where a browser can do that
  }

  /** What each source says by itself: the colour of its likeliest mood, as long as it counts. */
  #sources(sources) {
    for (const arc of document.querySelectorAll(".sources path")) {
      const source = sources.find(({ kind }) => kind === arc.dataset.source);
      const share = Math.min(1, source?.weight ?? 0);
      if (source) arc.dataset.mood = likeliest(source.probabilities);
      arc.style.strokeDasharray = `${share * 100} 200`;
      arc.style.strokeDashoffset = `${-(1 - share) * 50}`;
      arc.style.opacity = source ? 1 : 0;
    }
  }

  #shares(shares) {
    this.#find(".ring").style.opacity = shares ? 1 : 0;
    for (const name of MOODS) {
      const share = shares?.[name] ?? 0;
      const arc = this.#find(`.arc[data-mood=${name}]`);
      arc.style.strokeDasharray = `${share * 100} 200`;
      arc.style.strokeDashoffset = `${-(1 - share) * 50}`; // grows from the middle of its quadrant
      arc.style.opacity = share < 0.01 ? 0 : 1;
    }
  }
}
