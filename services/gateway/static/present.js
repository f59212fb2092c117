// What is true now, put together from a snapshot and the events after it. Knows no page.

export const MOODS = ["angry", "happy", "sad", "calm"];

const STALE_GRACE_MS = 5_000;
const CHOSEN_GRACE_MS = 60_000; // where no camera sees, nothing repeats a mood that was chosen by hand
const CHOSEN_WAIT_MS = 8_000; // songs of a mood that was chosen come within this, or not at all
const emptyCamera = () => ({ mood: null, chosen: false, offer: null, picked: null, ranking: null, said: null });
/** Place of each mood on the circumplex: valence, arousal. */
export const PLACES = { angry: [-0.7, 0.7], happy: [0.7, 0.7], sad: [-0.7, -0.7], calm: [0.7, -0.7] };

/** A mood that is only held, while another one is likelier by now, is a name that nobody would believe. */
const believable = ({ mood, confidence, probabilities }) =>
  !MOODS.includes(mood) || confidence >= Math.max(0, ...Object.values(probabilities ?? {}));

export class Present {
  defaultCamera = null;
  ownCamera = null; // id given to this browser's camera
  opening = null;
  kiosk = null; // what the operator has set for the page
  browserCamera = false;
  voice = null; // terms of the model that hears voices here: "free", "research"; null where none are heard
  viewed = null; // which camera an operator looks through now
  cameras = {};
  playback = null;
  volumeBeforeMute = null; // percent; null where nobody has heard of one
  status = new Map(); // "service/part" -> StatusChanged
  aheadMs = 0; // the server's clock before ours

  #wanted;
  #hand = null; // under which this page chooses moods where it stands before no camera

  /** `camera` is the camera of this page where it is not the site's first. */
  constructor(camera = null) {
    this.#wanted = camera;
  }

  snapshot(data) {
    this.aheadMs = Date.parse(data.now) - Date.now();
    this.defaultCamera = this.#wanted ?? data.camera_id;
    this.opening = data.opening;
    this.kiosk = data.kiosk;
    this.browserCamera = data.browser_camera;
    this.voice = data.kiosk.voice ?? null;
    this.viewed = data.view ?? null;
    this.cameras = data.cameras;
    for (const camera of Object.values(this.cameras)) {
      camera.chosen = camera.mood?.reason === "forced";
      remember(camera);
    }
    this.playback = data.playback;
    this.volumeBeforeMute = data.volume_before_mute;
    this.status = new Map(data.status.map((status) => [key(status), status]));
  }

  /** Whether this page is for itself: on a visitor's device, or where no camera is, one does not share the mood of another. */
  alone(local) {
    const { state, code } = this.#statusOf(this.defaultCamera) ?? {};
    return this.#wanted === null && !(local && (["online", "degraded"].includes(state) || code === "resting"));
  }

  /** From now on the page is at a place of its own, until it leaves. */
  goAlone() {
    this.#hand ??= `hand-${crypto.getRandomValues(new Uint32Array(2)).join("-")}`;
  }

  leave() {
    this.#hand = null;
  }

  apply(event) {
    switch (event.type) {
      case "MoodChanged":
        return this.#mood(event);
      case "SongsOffered":
        return this.#offer(event);
      case "SongPicked":
        return this.#pick(event);
      case "SongsRanked":
        return this.#ranking(event);
      case "PlaybackChanged":
        this.playback = event;
        this.volumeBeforeMute = event.volume || this.volumeBeforeMute;
        return;
      case "StatusChanged":
        return this.#statusChanged(event);
    }
  }

  /** What the page shows: one camera's mood and songs, whether they still hold, the player, the camera's state. */
  view() {
    const id = this.ownCamera ?? this.#hand ?? this.defaultCamera;
    const camera = this.cameras[id] ?? emptyCamera();
    const now = Date.now() + this.aheadMs;
    const { mood, chosen, said, offer, ranking, picked } = camera;
    const ended = !mood || mood.phase === "end";
    const stale = !ended && now > Date.parse(mood.expires_at) + (chosen ? CHOSEN_GRACE_MS : STALE_GRACE_MS);
    return {
      cameraId: id,
      atMs: now,
      session: ended || stale ? null : mood.session_id,
      mood: ended || stale ? null : mood,
      word: ended || stale ? "nobody" : chosen || believable(mood) ? mood.mood : "unsure",
      chosen,
      told: chosen ? null : toldBy(mood?.sources ?? []),
      said,
      offer,
      ranking,
      picked: ranking?.picked ?? offer?.songs.find((song) => song.id === picked) ?? null,
      songs: ranking
        ? "ranking"
        : !offer
          ? "none"
          : picked
            ? "picked"
            : now > Date.parse(offer.expires_at)
              ? "expired"
              : "offer",
      playback: this.playback,
      volumeBeforeMute: this.volumeBeforeMute,
      status: this.#statusOf(id),
      closed: this.opening?.open === false,
      opensAt: this.opening?.changes_at ?? null,
      viewed: this.viewed && now < Date.parse(this.viewed.until) ? this.viewed.preview : null,
    };
  }

  /** Whether a microphone of the site listens now, whatever visitors touch. */
  get heard() {
    return this.status.get("voice/microphone")?.state === "online";
  }

  /** Whether the address of this page names a camera that nobody has heard of. */
  get unknownCamera() {
    const id = this.#wanted;
    return (
      id !== null &&
      this.ownCamera === null &&
      !(id in this.cameras) &&
      ![...this.status.values()].some((status) => status.part === id)
    );
  }

  #statusOf(id) {
    const all = [...this.status.values()].filter((status) => ["camera", "gateway"].includes(status.service));
    return all.findLast((status) => status.part === id) ?? null;
  }

  #camera(id) {
    return (this.cameras[id] ??= emptyCamera());
  }

  #mood(event) {
    const camera = this.#camera(event.camera_id);
    const session = sessionOf(camera);
    if (event.phase === "end" || (session && session !== event.session_id)) {
      Object.assign(camera, { offer: null, picked: null, ranking: null, said: null });
    }
    // A mood chosen by hand stays chosen while it is only repeated.
    const repeated = event.reason === "heartbeat" && event.confidence === 1 && event.since === camera.mood?.since;
    camera.chosen = event.reason === "forced" || (camera.chosen && repeated);
    camera.mood = event;
    remember(camera);
    const known = [this.defaultCamera, this.ownCamera, this.#hand, ...[...this.status.values()].map((status) => status.part)];
    if (event.phase === "end" && !known.includes(event.camera_id)) delete this.cameras[event.camera_id];
  }

  #offer(event) {
    const camera = this.#camera(event.camera_id ?? this.#cameraOf(event));
    if (!concerns(camera, event)) return;
    Object.assign(camera, { offer: event, picked: null, ranking: null });
    remember(camera);
  }

  #pick(event) {
    for (const camera of Object.values(this.cameras)) {
      if (camera.offer?.id === event.offer_id) camera.picked ??= event.song_id;
    }
  }

  #ranking(event) {
    const camera = Object.values(this.cameras).find((each) => each.offer?.id === event.offer_id);
    if (camera && concerns(camera, event)) Object.assign(camera, { ranking: event, picked: event.picked.id });
  }

  #statusChanged(event) {
    this.status.set(key(event), event);
    if (event.service === "gateway" && event.part && event.state === "offline") {
      // The camera of a browser is gone for good: its id is never used again.
      this.status.delete(key(event));
      delete this.cameras[event.part];
    }
  }

  #cameraOf(event) {
    const found = Object.entries(this.cameras).find(([, camera]) => sessionOf(camera) === event.session_id);
    return event.session_id && found ? found[0] : this.defaultCamera;
  }
}

/** What a mood was told by, words before a voice; null where it was only looked at. */
const toldBy = (sources) => ["words", "voice"].find((wanted) => sources.some(({ kind }) => kind === wanted)) ?? null;

const key = (status) => `${status.service}/${status.part ?? ""}`;
const sessionOf = (camera) => (camera.mood && camera.mood.phase !== "end" ? camera.mood.session_id : null);

// Streams are read side by side: an offer of a visit that is over may come after its end.
const concerns = (camera, event) => !camera.mood || !event.session_id || event.session_id === sessionOf(camera);

const songsMood = ({ ranking, offer }) => (ranking ?? offer)?.mood;

/** Keep what was read when the songs were chosen: the mood may pass before they do. */
function remember(camera) {
  const { mood, chosen } = camera;
  if (mood && mood.phase !== "end" && mood.mood === songsMood(camera)) camera.said = { mood, chosen };
}

/** A view whose word is that of the songs below it, where there are any. */
export function agreeing(view) {
  const { mood, word, chosen, said, songs, atMs } = view;
  const theirs = songsMood(view);
  if (!["offer", "picked", "ranking"].includes(songs) || !mood || !MOODS.includes(theirs) || theirs === word) return view;
  // chosen just now: its songs are on their way
  if (chosen) return { ...view, songs: atMs - Date.parse(mood.at) < CHOSEN_WAIT_MS ? "none" : "expired" };
  const known = said?.mood.mood === theirs && said.mood.session_id === mood.session_id;
  return { ...view, word: theirs, passed: true, ...(known ? said : { mood: certain(mood, theirs) }) };
}

/** The mood that probabilities speak for most. */
export const likeliest = (probabilities) =>
  MOODS.reduce((best, mood) => (probabilities[mood] > probabilities[best] ? mood : best));

/** A reading that says one mood alone. */
export function certain(mood, name) {
  const [valence, arousal] = PLACES[name];
  const probabilities = Object.fromEntries(MOODS.map((other) => [other, other === name ? 1 : 0]));
  return { ...mood, mood: name, valence, arousal, probabilities, confidence: 1 };
}
