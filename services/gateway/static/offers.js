// When an offer is asked for anew: a visitor chooses in peace, and never reads that songs have gone.

import { MOODS } from "./present.js";

const AHEAD_MS = 8_000; // before the songs would expire
const AGAIN_MS = 5_000; // where nobody answered

export class Offers {
  #handlers;
  #asked = null; // id of the offer that was to be renewed
  #askedMs = -Infinity;

  /** `renew(cameraId, mood)` keeps the songs of a visit, or gives such; `choose(mood)` begins once more where no camera sees. */
  constructor(handlers) {
    this.#handlers = handlers;
  }

  /** The view, without songs that have gone where new ones come; asks once for each offer that runs out before a visitor. */
  keep(view, nowMs) {
    const { stage, session, byHand, songs, offer, mood, word, cameraId, atMs, stillLeftS } = view;
    const gone = songs === "expired";
    const runsOut = gone || (songs === "offer" && Date.parse(offer.expires_at) - atMs < AHEAD_MS);
    const wanted = gone ? word : offer?.mood; // what stands above the songs
    if (stage !== "mirror" || !runsOut || !mood || !MOODS.includes(wanted) || stillLeftS !== null) return view;
    const id = offer?.id ?? null;
    if (this.#asked !== id || nowMs - this.#askedMs >= AGAIN_MS) {
      if (gone && this.#asked === id) return view; // nobody has answered: "Other songs" remains
      [this.#asked, this.#askedMs] = [id, nowMs];
      if (session) this.#handlers.renew(cameraId, wanted);
      else if (byHand) this.#handlers.choose(wanted);
    }
    return gone ? { ...view, songs: "none" } : view;
  }
}
