// What plays. Where the page itself is the output it plays, too: a file of the gateway's, Spotify's own frame where there
// is a network, else the house's own music.

import { element, sleeve } from "./drawing.js";
import { House, sound } from "./house.js";

const TRACK = /^spotify:track:([A-Za-z0-9]+)$/;
const FILE = /^file:\/*(.+)$/;
const IN_PAGE = ["browser", "house"]; // a venue's page never shows a music service
const STEERED = ["playing", "paused"];

export class Player {
  #t;
  #ended;
  #song = null;
  #embedded = null;
  #unreached = null;
  #broken = null; // a file that cannot be played
  #audio = new Audio();
  #house = null;
  #silent = true; // browsers let a page sound only once somebody has touched it, or where they are set so
  #find = (selector) => document.querySelector(selector);

  /** `ended(song)` is called when a file has played to its end. */
  constructor(t, ended) {
    this.#t = t;
    this.#ended = ended;
    this.#audio.addEventListener("ended", () => this.#song && this.#ended(this.#song));
    this.#audio.addEventListener("error", () => { this.#broken = this.#audio.getAttribute("src"); });
    for (const touch of ["pointerup", "keyup"]) addEventListener(touch, () => { this.#silent = false; });
    // A sound element says whether it may play; an AudioContext would only complain.
    new Audio("/static/silence.wav").play().then(() => { this.#silent = false; }, () => {});
  }

  show({ playback, ranking, offer, mood }) {
    const song = playback?.song ?? null;
    this.#find("#player").dataset.state = playback?.state ?? "unknown";
    this.#say("#player-state", this.#t(playback?.state ?? "player_unknown"));
    this.#say("#player-song", song ? `${song.title} · ${song.artist}` : "");
    if (song?.id !== this.#song) {
      this.#song = song?.id ?? null;
      this.#find("#sleeve").replaceChildren(...(song ? [sleeve(song, ranking?.mood ?? offer?.mood)] : []));
    }
    this.#buttons(playback);
    const inPage = IN_PAGE.includes(playback?.output) && playback.state === "playing" && song !== null;
    const track = inPage && playback.output === "browser" ? song.uri?.match(TRACK)?.[1] ?? null : null;
    const file = inPage ? this.#file(song) : null;
    const embed = track && navigator.onLine && track !== this.#unreached ? track : null;
    const source = !inPage ? "none" : file ? "file" : embed ? "embed" : "house";
    this.#find("#player").dataset.source = source;
    const volume = (playback?.volume ?? 100) / 100;
    this.#playFile(file, volume);
    this.#embed(embed, song);
    this.#playHouse(source === "house", volume, mood);
    const why = source !== "house" ? "" : playback.output === "house" ? "" : this.#t(track ? "no_network" : "no_address");
    const quiet = this.#silent && ["file", "house"].includes(source) ? this.#t("touch_to_hear") : "";
    this.#say("#player-message", [why, quiet, playback?.message].filter(Boolean).join(" "));
  }

  /** Written only when it differs, or screen readers would say it again. */
  #say(selector, text) {
    const place = this.#find(selector);
    if (place.textContent !== text) place.textContent = text;
  }

  #buttons(playback) {
    const steered = STEERED.includes(playback?.state);
    const [hold, next] = [this.#find("#hold"), this.#find("#next")];
    hold.hidden = next.hidden = !steered;
    hold.dataset.command = playback?.state === "paused" ? "resume" : "pause";
    this.#say("#hold", this.#t(`do_${hold.dataset.command}`));
  }

  #file(song) {
    const path = song.uri?.match(FILE)?.[1];
    const address = path ? `/music/${path.split("/").map(encodeURIComponent).join("/")}` : null;
    return address === this.#broken ? null : address;
  }

  #playFile(address, volume) {
    this.#audio.volume = volume;
    if (address === null) {
      this.#audio.pause();
      return;
    }
    if (this.#audio.getAttribute("src") !== address) this.#audio.src = address;
    if (this.#audio.paused && !this.#audio.ended) this.#audio.play().then(() => { this.#silent = false; }, (refusal) => this.#refused(refusal));
  }

  #playHouse(wanted, volume, mood) {
    if (!wanted) {
      this.#house?.stop();
      return;
    }
    const [valence, arousal] = [mood?.valence ?? 0, mood?.arousal ?? 0];
    const { mode, bpm, brightnessHz } = sound(valence, arousal);
    this.#find("#player").dataset.house = `${mode} ${bpm} ${brightnessHz}`;
    if (this.#silent) return;
    this.#house ??= new House(new AudioContext());
    this.#house.mood(valence, arousal);
    this.#house.start(volume);
  }

  #refused(refusal) {
    if (refusal.name === "NotAllowedError") this.#silent = true;
  }

  #embed(track, song) {
    if (track === this.#embedded) return;
    this.#embedded = track;
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
        if (this.#embedded === track) this.#unreached = track;
      },
    );
  }
}
