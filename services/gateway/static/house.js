// The house's own music, for when there is no file and no network: soft, generated, and never twice the same.
// Pleasantness chooses the mode, energy the tempo, both together how bright it sounds.

const MODES = [
  // from dark to bright; semitones above the ground note
  ["phrygian", [0, 1, 3, 5, 7, 8, 10]],
  ["aeolian", [0, 2, 3, 5, 7, 8, 10]],
  ["dorian", [0, 2, 3, 5, 7, 9, 10]],
  ["mixolydian", [0, 2, 4, 5, 7, 9, 10]],
  ["ionian", [0, 2, 4, 5, 7, 9, 11]],
  ["lydian", [0, 2, 4, 6, 7, 9, 11]],
];
const CHORDS = [
  [0, 2, 4, 6],
  [3, 5, 7, 9],
  [5, 7, 9, 11],
  [1, 3, 5, 8],
]; // steps of the mode
const GROUND_HZ = 130.81;
const AHEAD_S = 0.4;
const EVERY_MS = 100;
const FADE_S = 1.5;

/** What a mood sounds like; valence and arousal from -1 to 1. */
export function sound(valence, arousal) {
  const part = (value) => Math.min(1, Math.max(0, (value + 1) / 2));
  const [mode, steps] = MODES[Math.min(MODES.length - 1, Math.floor(part(valence) * MODES.length))];
  return {
    mode,
    steps,
    bpm: Math.round(46 + 70 * part(arousal)),
    brightnessHz: Math.round(500 * 2 ** (2.2 * part(arousal) + 1.2 * part(valence))),
    density: 0.3 + 0.6 * part(arousal), // how many of the beats' halves have a note
  };
}

export class House {
  #context;
  #gain;
  #filter;
  #timer = 0;
  #nextS = 0;
  #beat = 0;
  #last = 4;
  now = sound(0, 0);

  /** `context` is an AudioContext; the sound goes to `target`. */
  constructor(context, target = context.destination) {
    this.#context = context;
    this.#gain = context.createGain();
    this.#gain.gain.value = 0;
    this.#filter = context.createBiquadFilter();
    this.#filter.type = "lowpass";
    this.#filter.frequency.value = this.now.brightnessHz;
    this.#filter.connect(this.#gain).connect(target);
  }

  start(volume = 1) {
    this.volume(volume);
    if (this.#timer) return;
    this.#nextS = this.#context.currentTime + 0.05;
    this.#timer = setInterval(() => this.#schedule(), EVERY_MS);
    this.#schedule();
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = 0;
    this.#glide(this.#gain.gain, 0, FADE_S / 3);
  }

  volume(share) {
    this.#glide(this.#gain.gain, 0.5 * share, FADE_S / 3);
  }

  mood(valence, arousal) {
    this.now = sound(valence, arousal);
    this.#glide(this.#filter.frequency, this.now.brightnessHz, FADE_S);
  }

  #glide(parameter, value, seconds) {
    parameter.cancelScheduledValues(this.#context.currentTime);
    parameter.setTargetAtTime(value, this.#context.currentTime, seconds);
  }

  #schedule() {
    const halfS = 30 / this.now.bpm;
    // a page that slept has nothing to make up for
    this.#nextS = Math.max(this.#nextS, this.#context.currentTime);
    for (; this.#nextS < this.#context.currentTime + AHEAD_S; this.#nextS += halfS, this.#beat++) {
      const chord = CHORDS[Math.floor(this.#beat / 16) % CHORDS.length];
      if (this.#beat % 16 === 0) for (const step of chord) this.#tone(step - 7, this.#nextS, 17 * halfS, 0.05, "sawtooth", 0.3);
      if (this.#beat % 2 === 0 || Math.random() < this.now.density) this.#pluck(chord);
    }
  }

  #pluck(chord) {
    if (Math.random() > this.now.density + 0.25) return;
    const wander = this.#last + Math.floor(Math.random() * 5) - 2;
    this.#last = Math.random() < 0.4 ? chord[Math.floor(Math.random() * chord.length)] + 7 : Math.min(16, Math.max(3, wander));
    this.#tone(this.#last, this.#nextS, 1.4, 0.16, "triangle", 0.01);
  }

  #tone(step, atS, seconds, loudness, type, attack) {
    const { steps } = this.now;
    const octave = Math.floor(step / steps.length);
    const semitones = steps[step - octave * steps.length] + 12 * octave;
    const source = this.#context.createOscillator();
    source.type = type;
    source.frequency.value = GROUND_HZ * 2 ** (semitones / 12);
    source.detune.value = 8 * (Math.random() - 0.5);
    const shape = this.#context.createGain();
    shape.gain.setValueAtTime(0, atS);
    shape.gain.linearRampToValueAtTime(loudness, atS + Math.max(0.01, attack * seconds));
    shape.gain.exponentialRampToValueAtTime(0.0005, atS + seconds);
    source.connect(shape).connect(this.#filter);
    source.start(atS);
    source.stop(atS + seconds + 0.05);
  }
}
