// What is kind to screens and eyes: a rest against burn-in while nobody comes, and the dress of day or night.

const EMPTY = ["attract", "closed"];
const MOVE_MS = 40_000;
const FAR = 0.16; // of the screen, to each side

/** Wear the theme that the operator or the address wants, else the dark one; says whether it is light. */
export function dress(wanted) {
  const theme = new URLSearchParams(location.search).get("theme") ?? wanted ?? "dark";
  const light = theme === "light" || (theme === "auto" && matchMedia("(prefers-color-scheme: light)").matches);
  document.documentElement.dataset.theme = light ? "light" : "dark";
  return light;
}

/** After a while without anybody the page darkens, and what is left of it moves from place to place. */
export class Rest {
  #emptyMs = null;
  #movedMs = -Infinity;

  /** Somebody has touched it. */
  wake(nowMs) {
    this.#emptyMs = nowMs;
  }

  show(stage, afterS, nowMs) {
    if (!EMPTY.includes(stage)) this.#emptyMs = null;
    else this.#emptyMs ??= nowMs;
    const rests = afterS > 0 && this.#emptyMs !== null && nowMs - this.#emptyMs >= 1000 * afterS;
    document.body.toggleAttribute("data-rests", rests);
    if (!rests) this.#movedMs = -Infinity;
    else if (nowMs - this.#movedMs >= MOVE_MS) {
      this.#movedMs = nowMs;
      for (const [name, unit] of [
        ["--aside", "vw"],
        ["--up", "vh"],
      ]) {
        document.body.style.setProperty(name, `${(200 * FAR * (Math.random() - 0.5)).toFixed(1)}${unit}`);
      }
    }
  }
}
