// Plays sound files, and fades from one to the next: two sound elements in turn.

const FADE_MS = 1_200;
const STEP_MS = 50;

export class Turntable {
  #handlers;
  #sides = [];
  #up = 0; // the side that plays, or played last
  #volume = 1;
  #timer = 0;

  /** `ended()`, `broken(address, begun)` and `refused(error)` are told of the file that should play. */
  constructor(place, handlers) {
    this.#handlers = handlers;
    for (const number of [0, 1]) {
      const audio = new Audio();
      place.append(audio);
      this.#sides.push({ audio, level: 0, wanted: 0 });
      audio.addEventListener("ended", () => number === this.#up && this.#wants && handlers.ended());
      audio.addEventListener(
        "error",
        () =>
          number === this.#up &&
          audio.getAttribute("src") &&
          this.#wants &&
          handlers.broken(audio.getAttribute("src"), audio.currentTime > 0),
      );
    }
  }

  get #wants() {
    return this.#sides[this.#up].wanted > 0;
  }

  /** Seconds played and in all of the file on the table; null where that is not known. */
  get progress() {
    const { currentTime, duration } = this.#sides[this.#up].audio;
    return Number.isFinite(duration) ? { playedS: currentTime, lastsS: duration } : null;
  }

  /** Play this file, or with null fade out what plays; the same one goes on where it was. */
  play(address, volume) {
    this.#volume = volume;
    const now = this.#sides[this.#up];
    if (address === null) now.wanted = 0;
    else if (now.audio.getAttribute("src") === address) now.wanted = 1;
    else this.#turn(address);
    const { audio, wanted } = this.#sides[this.#up];
    if (wanted && audio.paused && !audio.ended) audio.play().catch((refusal) => this.#handlers.refused(refusal));
    this.#fade();
  }

  #turn(address) {
    this.#sides[this.#up].wanted = 0;
    this.#up = 1 - this.#up;
    const next = this.#sides[this.#up];
    [next.level, next.wanted] = [0, 1];
    next.audio.src = address;
  }

  #fade() {
    for (const side of this.#sides) side.audio.volume = side.level * this.#volume;
    this.#timer ||= setInterval(() => this.#step(), STEP_MS);
  }

  #step() {
    for (const side of this.#sides) {
      const change = STEP_MS / FADE_MS;
      side.level =
        side.wanted > side.level ? Math.min(1, side.level + change) : Math.max(0, side.level - (side.wanted ? 0 : change));
      side.audio.volume = side.level * this.#volume;
      if (!side.wanted && !side.level && !side.audio.paused) side.audio.pause();
    }
    if (this.#sides.every((side) => side.level === side.wanted)) this.#timer = clearInterval(this.#timer) ?? 0;
  }
}
