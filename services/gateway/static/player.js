// What plays: Spotify's own frame where the page itself is the output and there is a network, else the plain words.

import { element, sleeve } from "./drawing.js";

const TRACK = /^spotify:track:([A-Za-z0-9]+)$/;

export class Player {
  #t;
  #song = null;
  #embedded = null;
  #unreached = null;
  #find = (selector) => document.querySelector(selector);

  constructor(t) {
    this.#t = t;
  }

  show({ playback, ranking, offer }) {
    const song = playback?.song ?? null;
    this.#find("#player").dataset.state = playback?.state ?? "unknown";
    this.#say("#player-state", this.#t(playback?.state ?? "player_unknown"));
    this.#say("#player-song", song ? `${song.title} · ${song.artist}` : "");
    if (song?.id !== this.#song) {
      this.#song = song?.id ?? null;
      this.#find("#sleeve").replaceChildren(...(song ? [sleeve(song, ranking?.mood ?? offer?.mood)] : []));
    }
    const inPage = playback?.output === "browser" && playback.state === "playing" && song !== null;
    const track = inPage && song.uri?.match(TRACK)?.[1];
    const reason = !inPage ? "" : !track ? this.#t("no_address") : !navigator.onLine || track === this.#unreached ? this.#t("no_network") : "";
    this.#say("#player-message", [reason, playback?.message].filter(Boolean).join(" "));
    this.#embed(track && navigator.onLine ? track : null, song);
  }

  /** Written only when it differs, or screen readers would say it again. */
  #say(selector, text) {
    const place = this.#find(selector);
    if (place.textContent !== text) place.textContent = text;
  }

  #embed(track, song) {
    if (track === this.#embedded) return;
    this.#embedded = track;
    this.#unreached = null;
    this.#find("#embed").replaceChildren();
    if (track === null) return;
    const src = `https://open.spotify.com/embed/track/${track}`;
    const frame = { src, title: this.#t("embed", { title: song.title }), allow: "autoplay; encrypted-media", height: "80" };
    // A browser may believe itself online where Spotify cannot be reached, and a frame does not tell that it failed.
    fetch(src, { mode: "no-cors" }).then(
      () => {
        if (this.#embedded === track) this.#find("#embed").replaceChildren(element("iframe", frame));
      },
      () => {
        if (this.#embedded !== track) return;
        this.#unreached = track;
        this.#say("#player-message", this.#t("no_network"));
      },
    );
  }
}
