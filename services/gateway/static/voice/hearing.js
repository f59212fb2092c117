// The gate where the sound is: in the browser's audio thread. Only utterances leave it.

import { Gate } from "./gate.js";

class Hearing extends AudioWorkletProcessor {
  #gate = new Gate(sampleRate);
  #open = false;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => {
      this.#gate.music = data.music;
    };
  }

  process([[samples]]) {
    for (const utterance of this.#gate.push(samples ?? [])) this.port.postMessage({ utterance }, [utterance.buffer]);
    if (this.#gate.open !== this.#open) {
      this.#open = this.#gate.open;
      this.port.postMessage({ open: this.#open });
    }
    return true;
  }
}

registerProcessor("hearing", Hearing);
