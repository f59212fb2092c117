// The line to the gateway: events in, commands out.

const TYPES = ["MoodChanged", "SongsOffered", "SongPicked", "SongsRanked", "PlaybackChanged", "StatusChanged", "CommandHeard"];
const SILENCE_MS = 45_000;
const AGAIN_MS = 1_000;
const MAX_AGAIN_MS = 5_000;
const HELD_MS = 1_000;
const TURNS = 30; // then a WebSocket is tried

/**
 * Follow the events for ever. Comes back by itself, from where it was or with a new snapshot.
 *
 * Over a WebSocket; where a proxy passes none on, by endless answers, of which a browser holds six: each is let go soon.
 */
export class Live {
  #line = null; // that is open or being opened
  #open = false;
  #failed = 0; // tries since one was open
  #turns = 0;
  #heardAt = 0;
  #lastId = "";
  #timer = 0;
  #handlers;

  constructor(handlers) {
    this.#handlers = handlers; // { snapshot(data), event(data), link("live" | "lost") }
  }

  start() {
    this.#connect();
    // A line that died without a word: where there is somebody, moods come every few seconds.
    setInterval(() => this.#check(), 5_000);
    addEventListener("online", () => this.#connect());
    addEventListener("offline", () => this.#handlers.link("lost"));
    addEventListener("pagehide", () => this.#leave());
    addEventListener("pageshow", (event) => event.persisted && this.#connect());
  }

  #leave() {
    clearTimeout(this.#timer);
    const line = this.#line;
    this.#line = null; // first: it is not listened to any more
    this.#open = false;
    line?.close();
  }

  #connect() {
    this.#leave();
    this.#heardAt = Date.now();
    this.#line = this.#failed % 2 || this.#turns % TURNS ? this.#stream() : this.#socket();
  }

  #socket() {
    const address = new URL(`api/v1/events/ws?last_id=${encodeURIComponent(this.#lastId)}`, document.baseURI);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = new WebSocket(address);
    socket.addEventListener("open", () => this.#opened(socket, 0));
    socket.addEventListener("message", (message) => {
      const said = JSON.parse(message.data);
      this.#heard(socket, said.id, said.event, said.data);
    });
    socket.addEventListener("close", () => this.#lost(socket));
    return socket;
  }

  #stream() {
    const source = new EventSource(`api/v1/events?last_id=${encodeURIComponent(this.#lastId)}`);
    source.addEventListener("open", () => {
      this.#opened(source, this.#turns + 1);
      setTimeout(() => source === this.#line && this.#connect(), HELD_MS);
    });
    for (const type of ["snapshot", ...TYPES]) {
      source.addEventListener(type, (message) => this.#heard(source, message.lastEventId, type, JSON.parse(message.data)));
    }
    source.addEventListener("error", () => this.#lost(source));
    return source;
  }

  #opened(line, turns) {
    if (line !== this.#line) return;
    this.#turns = turns;
    this.#open = true;
    this.#failed = 0;
    this.#handlers.link("live");
  }

  #heard(line, id, type, data) {
    if (line !== this.#line) return;
    this.#heardAt = Date.now();
    this.#lastId = id || this.#lastId;
    if (type === "snapshot") this.#handlers.snapshot(data);
    else if (TYPES.includes(type)) this.#handlers.event(data);
  }

  #lost(line) {
    if (line !== this.#line) return;
    if (!this.#open) this.#failed += 1;
    if (this.#failed === 1 && this.#turns && line instanceof WebSocket) return this.#connect();
    if (this.#failed > 1) this.#turns = 0;
    this.#leave();
    this.#handlers.link("lost");
    this.#timer = setTimeout(() => this.#connect(), Math.min(MAX_AGAIN_MS, AGAIN_MS * Math.max(1, this.#failed)));
  }

  async #check() {
    if (Date.now() - this.#heardAt < SILENCE_MS || !this.#open) return;
    this.#heardAt = Date.now();
    try {
      const answer = await fetch("api/v1/state", { signal: AbortSignal.timeout(5_000) });
      if (!answer.ok) throw new Error(answer.statusText);
      this.#handlers.snapshot(await answer.json());
    } catch {
      this.#handlers.link("lost");
      this.#connect();
    }
  }
}

/** A refusal by the gateway; its message is one line. */
export class Refused extends Error {}

/** Send a command. Raises Refused with the gateway's words, or TypeError when the line is down. */
export async function send(path, body) {
  const answer = await fetch(`api/v1/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(8_000),
  });
  if (answer.status === 204) return null;
  const said = await answer.json();
  if (!answer.ok) throw new Refused(said.error);
  return said;
}
