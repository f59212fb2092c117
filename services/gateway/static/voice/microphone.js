// This browser's microphone: an utterance at a time to the gateway, as WAV. Silence is never sent, and nothing is kept.

const RATE = 16_000;
const AT_ONCE = 2; // utterances on their way; what is said meanwhile is gone
const ANSWER_MS = 8_000;
const TRIES = 3;
const KEPT = 8; // utterances whose ids are known: what comes of others is too old
const FULL_SCALE = 32_767;
// What makes voices louder, quieter or smoother would take away what they tell; the page's own music is taken out.
const AUDIO = { channelCount: 1, echoCancellation: true, noiseSuppression: false, autoGainControl: false };

export class Microphone {
  #handlers;
  #stream = null;
  #context = null;
  #node = null;
  #leaving = null; // AbortController of what is on its way
  #asked = 0; // a permission may come when nobody wants it any more
  #underWay = 0;
  #failed = 0; // refusals in a row
  #music = false;
  #sent = []; // ids of what was sent last, each once the gateway has answered

  /** `{ place(), speaking(whether), sending(), blocked(), ended() }`: the id of the visitor's place; somebody speaks; an
   * utterance is on its way; none arrives any more; the microphone is off. */
  constructor(handlers) {
    this.#handlers = handlers;
  }

  get on() {
    return this.#stream !== null;
  }

  /** Ask for the microphone and begin. Raises what getUserMedia raises. */
  async start() {
    const asked = ++this.#asked;
    if (!navigator.mediaDevices?.getUserMedia) throw new DOMException("no secure context", "SecurityError");
    const stream = await navigator.mediaDevices.getUserMedia({ audio: AUDIO, video: false });
    if (asked !== this.#asked) return release(stream);
    this.#stream = stream;
    stream.getAudioTracks()[0].addEventListener("ended", () => this.stop());
    [this.#leaving, this.#failed] = [new AbortController(), 0];
    try {
      await this.#listen(stream, asked);
    } catch (error) {
      if (asked === this.#asked) throw error;
    }
  }

  /** Off at once: what is being said and what is on its way is thrown away. */
  stop() {
    this.#asked += 1;
    if (!this.on) return;
    release(this.#stream);
    this.#leaving.abort();
    this.#context?.close();
    this.#stream = this.#context = this.#node = null;
    this.#handlers.ended();
  }

  /** Whether music plays in the room, which is not to be taken for a voice. */
  hearMusic(plays) {
    if (plays === this.#music) return;
    this.#music = plays;
    this.#node?.port.postMessage({ music: plays });
  }

  /** Whether something that was said came from here, by the id that the gateway gave it. */
  async sent(id) {
    return (await Promise.all(this.#sent)).includes(id);
  }

  async #listen(stream, asked) {
    const [context, source] = connected(stream);
    this.#context = context;
    await context.audioWorklet.addModule("static/voice/hearing.js");
    if (asked !== this.#asked) return;
    const node = new AudioWorkletNode(context, "hearing", {
      numberOfOutputs: 0,
      channelCount: 1,
      channelCountMode: "explicit",
    });
    node.port.onmessage = ({ data }) => {
      if (node !== this.#node) return;
      if (data.utterance) this.#keep(this.#send(toWav(data.utterance, context.sampleRate), this.#leaving.signal));
      else this.#handlers.speaking(data.open);
    };
    node.port.postMessage({ music: this.#music });
    this.#node = node;
    source.connect(node);
  }

  #keep(sending) {
    this.#sent = [...this.#sent.slice(1 - KEPT), sending];
  }

  /** The id of what was sent; null where it did not arrive. */
  async #send(wav, left) {
    if (this.#underWay >= AT_ONCE) return null;
    this.#underWay += 1;
    this.#handlers.sending();
    let [status, id] = [0, null];
    try {
      const address = `api/v1/voices?camera_id=${encodeURIComponent(this.#handlers.place())}`;
      const signal = AbortSignal.any([left, AbortSignal.timeout(ANSWER_MS)]);
      const answer = await fetch(address, { method: "POST", headers: { "Content-Type": "audio/wav" }, body: wav, signal });
      if (answer.ok) ({ id } = await answer.json());
      status = answer.status;
    } catch {
      // the line is down, or the microphone was switched off meanwhile
    } finally {
      this.#underWay -= 1;
    }
    if (left.aborted || status === 429) return null; // too many is not too little
    this.#failed = status === 202 ? 0 : this.#failed + 1;
    if (this.#failed >= TRIES) this.#handlers.blocked();
    return id;
  }
}

/** An AudioContext that hears the stream, and the node by which it does: at 16 kHz, or as the microphone has it where the
 * browser does not change a microphone's rate. */
function connected(stream) {
  const context = new AudioContext({ sampleRate: RATE });
  try {
    return [context, context.createMediaStreamSource(stream)];
  } catch (error) {
    context.close();
    if (error.name !== "NotSupportedError") throw error;
    const other = new AudioContext();
    return [other, other.createMediaStreamSource(stream)];
  }
}

function release(stream) {
  for (const track of stream.getTracks()) track.stop();
}

/** Samples (-1..1) as a WAV file: one channel, 16 bits. */
export function toWav(samples, rate) {
  const bytes = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const text = (at, letters) => {
    for (let place = 0; place < letters.length; place++) bytes.setUint8(at + place, letters.charCodeAt(place));
  };
  text(0, "RIFF");
  bytes.setUint32(4, 36 + 2 * samples.length, true);
  text(8, "WAVEfmt ");
  bytes.setUint32(16, 16, true); // length of what follows
  bytes.setUint16(20, 1, true); // plain samples
  bytes.setUint16(22, 1, true); // one channel
  bytes.setUint32(24, rate, true);
  bytes.setUint32(28, 2 * rate, true);
  bytes.setUint16(32, 2, true);
  bytes.setUint16(34, 16, true);
  text(36, "data");
  bytes.setUint32(40, 2 * samples.length, true);
  for (let place = 0; place < samples.length; place++) {
    bytes.setInt16(44 + 2 * place, FULL_SCALE * Math.max(-1, Math.min(1, samples[place])), true);
  }
  return bytes.buffer;
}

/** Key of the message that tells why a microphone did not start. */
export function whyDeaf(error) {
  return (
    {
      NotAllowedError: "microphone_refused",
      SecurityError: "microphone_insecure",
      NotFoundError: "microphone_missing",
      OverconstrainedError: "microphone_missing",
    }[error.name] ?? "microphone_busy"
  );
}
