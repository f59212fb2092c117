// The line to the gateway: events in, commands out.

const TYPES = ["MoodChanged", "SongsOffered", "SongPicked", "SongsRanked", "PlaybackChanged", "StatusChanged"];
const SILENCE_MS = 45_000;
const TRY_AGAIN_MS = 2_000;

/** Follow the events for ever. Comes back by itself, from where it was, or else with a new snapshot. */
export class Live {
  #source = null;
  #heardAt = 0;
  #lastId = "";
  #handlers;

  constructor(handlers) {
    this.#handlers = handlers; // { snapshot(data), event(data), link("live" | "lost") }
  }

  start() {
    this.#open();
    // A line that died without a word is noticed here: where there is somebody, moods come every few seconds.
    setInterval(() => this.#check(), 5_000);
    addEventListener("online", () => this.#open());
    addEventListener("offline", () => this.#handlers.link("lost"));
    addEventListener("pagehide", () => this.#source?.close());
    addEventListener("pageshow", (event) => event.persisted && this.#open());
  }

  #open() {
    this.#source?.close();
    const source = new EventSource(`/api/v1/events?last_id=${encodeURIComponent(this.#lastId)}`);
    this.#source = source;
    this.#heardAt = Date.now();
    const heard = (handle) => (message) => {
      this.#heardAt = Date.now();
      this.#lastId = message.lastEventId || this.#lastId;
      handle(JSON.parse(message.data));
    };
    source.addEventListener("open", () => this.#handlers.link("live"));
    source.addEventListener("snapshot", heard((data) => this.#handlers.snapshot(data)));
    for (const type of TYPES) source.addEventListener(type, heard((data) => this.#handlers.event(data)));
    source.addEventListener("error", () => {
      this.#handlers.link("lost");
      // Where a proxy answers for a server that is gone, browsers give up for good.
      if (source.readyState === EventSource.CLOSED) setTimeout(() => source === this.#source && this.#open(), TRY_AGAIN_MS);
    });
  }

  async #check() {
    if (Date.now() - this.#heardAt < SILENCE_MS || this.#source.readyState !== EventSource.OPEN) return;
    this.#heardAt = Date.now();
    try {
      const answer = await fetch("/api/v1/state", { signal: AbortSignal.timeout(5_000) });
      if (!answer.ok) throw new Error(answer.statusText);
      this.#handlers.snapshot(await answer.json());
    } catch {
      this.#handlers.link("lost");
      this.#open();
    }
  }
}

/** A refusal by the gateway; its message is one line. */
export class Refused extends Error {}

/** Send a command. Raises Refused with the gateway's words, or TypeError when the line is down. */
export async function send(path, body) {
  const answer = await fetch(`/api/v1/${path}`, {
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
