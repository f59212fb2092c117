// The microphone's switch: a question of its own, a light for as long as it listens, and off with one touch.

const MAY_HEAR = ["hand", "wait", "mirror", "listen"]; // the stages of a visit
const LOCAL = ["localhost", "127.0.0.1", "[::1]"];

export class Voice {
  #words;
  #handlers;
  #microphone = null; // made once somebody wants it
  #speaking = false;
  #commands = false; // whether what is said may be a command
  #find = (selector) => document.querySelector(selector);

  /** `{ place(), sending(), say(key), answered(choice), changed() }`: the id of the visitor's place; an utterance is on its
   * way; a line to the visitor; the visitor has agreed, declined or withdrawn; there is more to show. */
  constructor(words, handlers) {
    this.#words = words;
    this.#handlers = handlers;
    // who looks elsewhere does not see the light
    addEventListener("visibilitychange", () => document.hidden && this.stop());
    addEventListener("pagehide", () => this.stop());
  }

  get on() {
    return this.#microphone?.on === true;
  }

  /** Whether what was heard was said into this microphone. */
  async sent(id) {
    return this.on && this.#microphone.sent(id);
  }

  /** The visitor has touched the switch: off at once; on is asked for. */
  toggle() {
    if (!this.on) return void this.#find("#hear").showModal();
    this.stop();
    this.#handlers.answered("withdrawn");
  }

  decline() {
    this.#find("#hear").close();
    this.#handlers.answered("declined");
  }

  async agree() {
    this.#find("#hear").close();
    this.#handlers.answered("given");
    let whyDeaf = () => "microphone_blocked"; // where not even the program comes
    try {
      const program = await import("./voice/microphone.js");
      whyDeaf = program.whyDeaf;
      this.#microphone ??= new program.Microphone({
        place: this.#handlers.place,
        sending: this.#handlers.sending,
        speaking: (whether) => {
          this.#speaking = whether;
          this.#handlers.changed();
        },
        blocked: () => {
          this.stop();
          this.#handlers.say("microphone_blocked");
        },
        ended: () => {
          this.#speaking = false;
          this.#handlers.changed();
        },
      });
      await this.#microphone.start();
      if (this.on && this.#commands) this.#handlers.say("can_say");
    } catch (error) {
      this.stop();
      this.#handlers.say(whyDeaf(error));
    }
    this.#handlers.changed();
  }

  /** Also where the browser has yet to ask whether it may. */
  stop() {
    this.#microphone?.stop();
  }

  /** `terms`: of the model that hears, "free" or "research"; null where no voice is heard. `commands`: whether some words are
   * understood. */
  show({ stage, hears, playback }, { terms, commands, onDisk }) {
    this.#commands = commands;
    const able = terms !== null && MAY_HEAR.includes(stage);
    if (!able || !hears) this.stop();
    if (!able && this.#find("#hear").open) this.#find("#hear").close();
    this.#microphone?.hearMusic(playback?.state === "playing");
    this.#showSwitch(able, stage);
    this.#showLight();
    this.#write("#hear-reads", this.#words.t(commands ? "voice_reads_commands" : "voice_reads"));
    this.#find("#hear-commands").hidden = !commands;
    this.#write("#hear-where", onDisk ? this.#words.t("voice_disk") : this.#where());
    this.#find("#hear-terms").hidden = terms !== "research";
  }

  #showSwitch(able, stage) {
    const button = this.#find("#microphone");
    button.hidden = !able || (stage === "hand" && !this.on); // there the large one stands among the choices
    button.setAttribute("aria-pressed", this.on);
    button.toggleAttribute("data-speaking", this.#speaking);
    const { t } = this.#words;
    button.setAttribute("aria-label", this.on ? `${t("listening")}: ${t("listening_stop")}` : t("microphone"));
    this.#write("#microphone span", t(this.on ? "listening" : "microphone"));
  }

  /** For those who do not see the light. */
  #showLight() {
    const was = document.body.hasAttribute("data-hears");
    document.body.toggleAttribute("data-hears", this.on);
    if (this.on || was) this.#write("#hearing", this.#words.t(this.on ? "microphone_on" : "microphone_off"));
  }

  #where() {
    const { t } = this.#words;
    return LOCAL.includes(location.hostname) ? t("voice_here") : t("voice_there", { host: location.host });
  }

  /** Written only when it differs, or screen readers would say it again. */
  #write(selector, text) {
    const place = this.#find(selector);
    if (place.textContent !== text) place.textContent = text;
  }
}
