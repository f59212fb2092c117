// Cuts what a microphone hears into utterances, by loudness alone. Knows no browser: samples go in, utterances come out.

const STEP_S = 0.02;
const MARGIN_S = 0.2; // kept before and after the sound
const PAUSE_S = 0.5; // as long a pause ends an utterance
const MIN_SOUND_S = 0.25;
const MAX_S = 5; // then it is cut, and what follows is the next one
const BEGIN_S = 0.06; // shorter is a click
const LEARN_S = 0.3; // before that nothing is known of the room
const AGAIN_S = 0.1; // so often it is worked out how loud a voice must be
const ROOM_S = 4; // what is usual in the room is that of the last seconds
const RUMBLE_HZ = 80; // below is no voice
const QUIETEST_DB = -60; // of full scale; nobody is heard below
/** What counts as usual: a share of the room's steps is quieter. A voice is so much louder, and goes on until it is so much
 * quieter than that; one step of an utterance in so many is taken for the room's. Of music nearly all shall be below. */
const ROOM = { share: 0.25, louderDb: 9, endsDb: 4, every: 4 };
const MUSIC = { share: 0.8, louderDb: 6, endsDb: 1, every: 8 };

const steps = (seconds) => Math.round(seconds / STEP_S);

export class Gate {
  /** Whether music plays in the room. */
  music = false;
  #length; // of a step in samples
  #step;
  #filled = 0;
  #pole;
  #first = [0, 0]; // of the filter: what came in last, what went out last
  #second = [0, 0];
  #room = []; // levels of the last steps
  #before = []; // steps that may be the beginning of an utterance
  #said = null; // steps of the utterance that goes on
  #loud = 0; // steps of it that sound
  #quiet = 0; // steps since it last sounded
  #begun = 0; // loud steps in a row
  #count = 0;
  #openAt = Infinity;

  /** `rate`: samples per second. */
  constructor(rate) {
    this.#length = Math.round(STEP_S * rate);
    this.#step = new Float32Array(this.#length);
    this.#pole = Math.exp((-2 * Math.PI * RUMBLE_HZ) / rate);
  }

  /** Whether somebody is speaking now, as far as loudness tells. */
  get open() {
    return this.#said !== null;
  }

  /** Takes samples (-1..1, any number) and returns the utterances that ended with them (Float32Arrays of at most 5 s). */
  push(samples) {
    const utterances = [];
    for (let from = 0; from < samples.length; ) {
      const part = samples.subarray(from, from + this.#length - this.#filled);
      this.#step.set(part, this.#filled);
      this.#filled += part.length;
      from += part.length;
      if (this.#filled < this.#length) continue;
      const ended = this.#take(this.#step);
      if (ended) utterances.push(ended);
      this.#step = new Float32Array(this.#length);
      this.#filled = 0;
    }
    return utterances;
  }

  #take(step) {
    const level = this.#level(step);
    this.#count += 1;
    if (!this.open || this.#count % this.#rule.every === 0) this.#learn(level);
    if (!this.open) {
      this.#await(step, level);
      return null;
    }
    this.#said.push(step);
    const loud = level > this.#openAt - this.#rule.endsDb;
    this.#loud += loud ? 1 : 0;
    this.#quiet = loud ? 0 : this.#quiet + 1;
    if (this.#quiet >= steps(PAUSE_S)) return this.#end();
    return this.#said.length >= steps(MAX_S) ? this.#cut() : null;
  }

  /** Decibels of full scale, without rumble. */
  #level(step) {
    let sum = 0;
    for (const sample of step) {
      const high = this.#pass(this.#second, this.#pass(this.#first, sample));
      sum += high * high;
    }
    return 10 * Math.log10(sum / step.length + 1e-10);
  }

  #pass(state, sample) {
    state[1] = this.#pole * (state[1] + sample - state[0]);
    state[0] = sample;
    return state[1];
  }

  #learn(level) {
    this.#room.push(level);
    if (this.#room.length > steps(ROOM_S)) this.#room.shift();
  }

  get #rule() {
    return this.music ? MUSIC : ROOM;
  }

  /** The level of a voice in this room. */
  #voiceDb() {
    const { share, louderDb } = this.#rule;
    const usual = this.#room.toSorted((one, other) => one - other)[Math.floor(share * (this.#room.length - 1))];
    return Math.max(usual + louderDb, QUIETEST_DB);
  }

  #await(step, level) {
    this.#before.push(step);
    if (this.#before.length > steps(MARGIN_S + BEGIN_S)) this.#before.shift();
    if (this.#room.length < steps(LEARN_S)) return;
    if (this.#count % steps(AGAIN_S) === 0) this.#openAt = this.#voiceDb();
    this.#begun = level > this.#openAt ? this.#begun + 1 : 0;
    if (this.#begun < steps(BEGIN_S)) return;
    [this.#loud, this.#quiet] = [this.#begun, 0];
    [this.#said, this.#before, this.#begun] = [this.#before, [], 0];
  }

  /** After a pause, of which a margin is kept. */
  #end() {
    const [said, loud] = [this.#said, this.#loud];
    this.#said = null;
    this.#before = said.slice(-steps(MARGIN_S));
    return loud < steps(MIN_SOUND_S) ? null : joined(said.slice(0, said.length - steps(PAUSE_S - MARGIN_S)));
  }

  /** Somebody speaks on: nothing is lost between this one and the next. Or the room has become louder, which is learned. */
  #cut() {
    const [said, loud] = [this.#said, this.#loud];
    [this.#said, this.#loud, this.#openAt] = [[], 0, this.#voiceDb()];
    return loud < steps(MIN_SOUND_S) ? null : joined(said);
  }
}

function joined(parts) {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
