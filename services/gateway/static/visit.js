// Where a visitor stands, from the first look to the goodbye. Knows no page and no line: it is told what is true, what
// was touched and what time it is, and says which stage to show.

import { MOODS, certain } from "./present.js";

const OWN_IDLE_S = 15; // a device whose camera sees nobody is soon in other hands
const UNSEEN_MS = 5_000; // who has left a camera of the site for so long is not heard any more
const UNCLEAR_MS = 5_000; // what was said so long ago has told no mood, or nobody spoke
const ADOPT_MS = 8_000; // a mood that was asked for comes within this, or not at all
const DEFAULTS = { consent: "touch", stay_s: 8, idle_s: 60, still_there_s: 15, goodbye_s: 6, auto: false, language: null };

export class Visit {
  #handlers;
  #phase = "idle"; // idle, ask, hand, visit, goodbye
  #by = null; // what the mood comes from: camera, own (this browser's camera), hand
  #session = null;
  #sinceMs = 0;
  #activeMs = 0;
  #goodbye = "";
  #mood = null; // chosen by hand
  #told = null; // "words" or "voice", whose mood others decide on
  #heardMs = null; // when the visitor last said something
  #unanswered = false; // whether no mood has come of that yet
  #seenMs = 0; // when a camera last saw somebody
  #before = null; // id of the reading that was there before
  #kept = null; // songs of a visit by hand, whose session may end before it does
  liked = new Set();

  /** `agreed(how, by)` and `over(why, by, tell, session)` are called once each; `tell` where the gateway has yet to hear of it.
   * `unclear(by)` is called where the words or the voice of a visitor tell no mood. */
  constructor(handlers) {
    this.#handlers = handlers;
  }

  /** Whether the page may use this device's camera now. */
  get own() {
    return this.#by === "own";
  }

  get going() {
    return this.#phase === "visit";
  }

  /** Somebody is here: a touch, a key, an answer. */
  touch(nowMs) {
    this.#activeMs = nowMs;
  }

  askForOwnCamera(nowMs) {
    this.#enter("ask", "own", null, nowMs);
  }

  askForMood(nowMs) {
    this.#enter("hand", "hand", null, nowMs);
  }

  agree(nowMs, how = "touch") {
    const by = this.#by ?? "camera";
    this.#enter("visit", by, by === "own" ? null : this.#session, nowMs);
    this.#handlers.agreed(how, by);
  }

  /** A mood was chosen by hand, or told in words, which say about this one; in a visit at a camera it stands for as long as
   * the tracker lets it. `before`: id of the reading that stands now. */
  choose(mood, nowMs, { touched = true, told = null, before = null } = {}) {
    if (touched) this.touch(nowMs);
    if (this.#phase === "visit" && this.#by !== "hand") return;
    if (this.#phase !== "visit") this.#enter("visit", "hand", null, nowMs);
    this.#sinceMs = nowMs;
    [this.#mood, this.#told, this.#before] = [mood, told, before];
    this.#kept = null;
    this.#session = null;
  }

  /** Something was said and is on its way; others decide on its mood. It is no sign that the visitor is still there: anybody
   * may be speaking. `session`, `before`: the session and the id of the reading that stand now. */
  hear(nowMs, { session, before }) {
    const waits = this.#heardMs !== null && nowMs - this.#heardMs < ADOPT_MS;
    [this.#heardMs, this.#unanswered] = [nowMs, true];
    if (this.#phase === "hand") this.#before = waits ? this.#before : before;
    const over = this.#by === "hand" && this.#session !== null && session !== this.#session;
    if (this.#phase === "visit" && over && this.#kept?.songs !== "ranking") {
      [this.#session, this.#sinceMs, this.#before] = [null, nowMs, before];
    }
  }

  /** What was said last was a command, so no mood comes of it. */
  understand(nowMs) {
    this.#unanswered = false;
    this.touch(nowMs);
  }

  /** The visitor has had enough: `stopped`, `declined`; or has gone: `left`, `idle`. */
  end(why, nowMs, tell = true) {
    const [by, session] = [this.#by, this.#session];
    const quiet =
      this.#phase === "idle" || (this.#phase === "goodbye" && why !== "stopped") || (why === "idle" && this.#phase === "hand");
    this.#goodbye = why;
    this.#enter(quiet ? "idle" : "goodbye", null, null, nowMs);
    this.liked.clear();
    this.#handlers.over(why, by, tell, session);
  }

  /** What the page shows: the view with its stage. */
  step(view, kiosk, nowMs, away) {
    const rules = kiosk ?? DEFAULTS;
    if (view.closed && this.#phase !== "idle") this.end("left", nowMs, false);
    if (!away && !view.closed) this.#follow(view, rules, nowMs);
    const shown = this.#by === "hand" && this.#phase === "visit" ? this.#byHand(view, nowMs) : view;
    return {
      ...shown,
      stage: view.closed ? "closed" : away ? "away" : this.#stage(shown),
      own: this.own,
      byHand: this.#by === "hand",
      goodbye: this.#goodbye,
      auto: rules.auto,
      hears: this.#hears(nowMs),
      staying:
        this.#phase === "ask" && this.#by === "camera" && rules.consent === "stay"
          ? { leftS: Math.max(0, Math.ceil(rules.stay_s - (nowMs - this.#sinceMs) / 1000)), ofS: rules.stay_s }
          : null,
      stillLeftS: away || view.closed ? null : this.#stillLeft(view, rules, nowMs),
    };
  }

  #enter(phase, by, session, nowMs) {
    [this.#phase, this.#by, this.#session, this.#sinceMs, this.#activeMs] = [phase, by, session, nowMs, nowMs];
    this.#mood = this.#kept = this.#told = this.#heardMs = null;
    this.#unanswered = false;
    this.#seenMs = nowMs;
  }

  #follow(view, rules, nowMs) {
    const forS = (nowMs - this.#sinceMs) / 1000;
    const { session } = view;
    // whoever comes during a goodbye is somebody new, or stays: in both cases they are asked
    if (this.#phase === "goodbye" && forS >= (session ? rules.goodbye_s / 2 : rules.goodbye_s))
      this.#enter("idle", null, null, nowMs);
    if (this.#phase === "idle" && session) this.#arrive(view, nowMs);
    else if (this.#phase === "ask") this.#wait(view, rules, forS, nowMs);
    else if (this.#phase === "hand") this.#beHeard(view, nowMs);
    else if (this.#phase === "visit") this.#goOn(view, nowMs);
    if (this.#stillLeft(view, rules, nowMs) === 0) this.end("idle", nowMs);
  }

  #arrive({ session, chosen, mood }, nowMs) {
    // chosen elsewhere, by an operator or over another wire: no camera has read it, so there is nothing to agree to
    if (chosen) {
      this.choose(mood.mood, nowMs);
      this.#session = session;
    } else this.#enter("ask", "camera", session, nowMs);
  }

  #wait({ session, chosen }, rules, forS, nowMs) {
    if (this.#by === "own") return;
    if (session !== this.#session || chosen) this.#enter("idle", null, null, nowMs);
    else if (rules.consent === "stay" && forS >= rules.stay_s) this.agree(nowMs, "stay");
  }

  /** What was said becomes a visit, once others have made a mood of it. */
  #beHeard({ session, told, mood }, nowMs) {
    if (!this.#spoke(told, nowMs) || session === null || mood.id === this.#before) return this.#waitInVain(nowMs);
    this.#before = mood.id;
    this.#unanswered = false;
    if (!MOODS.includes(mood.mood)) return void this.#handlers.unclear("voice");
    this.choose(mood.mood, nowMs, { touched: false, told: "voice" });
    this.#session = session;
  }

  #waitInVain(nowMs) {
    if (!this.#unanswered || nowMs - this.#heardMs < UNCLEAR_MS) return;
    this.#unanswered = false;
    this.#handlers.unclear("voice");
  }

  #spoke(told, nowMs) {
    return told === "voice" && this.#heardMs !== null && nowMs - this.#heardMs < ADOPT_MS;
  }

  /** Whether the microphone may be open: in a visit, and at a camera while it sees somebody. */
  #hears(nowMs) {
    if (this.#by === "hand") return true;
    return this.#phase === "visit" && nowMs - this.#seenMs < (this.own ? 1000 * OWN_IDLE_S : UNSEEN_MS);
  }

  #goOn({ session, chosen, told, mood }, nowMs) {
    if (session !== null && mood.faces > 0) this.#seenMs = nowMs;
    const seen = session !== null && !chosen && mood.faces > 0;
    if (this.#by === "hand") {
      this.#followHand({ session, chosen, told, mood }, nowMs);
    } else if (this.#by === "own") {
      if (seen) this.touch(nowMs);
    } else if (session !== this.#session) this.end("left", nowMs, false);
    else if (seen) this.touch(nowMs);
  }

  /** Takes over the session that comes of what was chosen or told, and what others make of it. */
  #followHand({ session, chosen, told, mood }, nowMs) {
    const mine = session !== null && session === this.#session;
    const comes = session !== null && this.#session === null && nowMs - this.#sinceMs < ADOPT_MS && mood.id !== this.#before;
    if (comes && this.#spoke(told, nowMs)) this.#told = "voice";
    if (this.#told ? !told || !(mine || comes) : !chosen || !(mine || (comes && mood.mood === this.#mood))) return;
    if (this.#told && comes && mood.mood === "unsure") {
      const by = this.#told;
      this.askForMood(nowMs);
      this.#handlers.unclear(by);
      return;
    }
    this.#session = session;
    if (MOODS.includes(mood.mood)) this.#mood = mood.mood;
  }

  #stillLeft(view, { idle_s, still_there_s }, nowMs) {
    const waits = this.#phase === "hand" || this.#phase === "visit" || (this.#phase === "ask" && this.#by === "own");
    if (!waits) return null;
    const allowedS = this.#by === "own" && !view.session ? Math.min(idle_s, OWN_IDLE_S) : idle_s;
    const idleS = (nowMs - this.#activeMs) / 1000 - allowedS;
    return idleS < 0 ? null : Math.max(0, Math.ceil(still_there_s - idleS));
  }

  #stage({ session, songs }) {
    if (this.#phase !== "visit") return { idle: "attract", ask: "ask", hand: "hand", goodbye: "goodbye" }[this.#phase];
    if (this.own && !session) return "wait";
    return songs === "ranking" ? "listen" : "mirror";
  }

  /** A visit by hand shows what was chosen, whatever a camera sees meanwhile. */
  #byHand(view, nowMs) {
    const mine = view.session !== null && view.session === this.#session;
    const { offer, ranking, picked, songs } = view;
    if (mine) this.#kept = { offer, ranking, picked, songs };
    const waiting = nowMs - this.#sinceMs < ADOPT_MS;
    const kept = this.#kept ?? { offer: null, ranking: null, picked: null, songs: waiting ? "none" : "expired" };
    const gone = !mine && kept.songs !== "ranking" && !waiting;
    const read = this.#told && mine && view.told;
    return {
      ...view,
      ...kept,
      ...(gone ? { songs: "expired" } : {}),
      word: this.#mood,
      chosen: !this.#told,
      told: (read && view.told) || this.#told,
      mood: read ? view.mood : certain({ faces: 0, at: new Date(view.atMs - (nowMs - this.#sinceMs)) }, this.#mood),
    };
  }
}
