// What plays. Where the page itself is the output it plays, too: a file of the gateway's, Spotify's own frame where there
// is a network, else the house's own music.

import { element, sleeve } from "./drawing.js";
import { House, sound } from "./house.js";

const TRACK = /^spotify:track:([A-Za-z0-9]+)$/;
const FILE = /^file:\/*(.+)$/;
const IN_PAGE = ["browser", "house"]; // a venue's page never shows a music service
const STEERED = ["playing", "paused"];
const IN_VISIT = ["mirror", "listen"];

export class Player {
  #words;
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
  constructor(words, ended) {
    this.#words = words;
    this.#ended = ended;
    this.#audio.addEventListener("ended", () => this.#song && this.#ended(this.#song));
    this.#audio.addEventListener("error", () => { this.#broken = this.#audio.getAttribute("src"); });
    for (const touch of ["pointerup", "keyup"]) addEventListener(touch, () => { this.#silent = false; });
    // A sound element says whether it may play; an AudioContext would only complain.
    new Audio("/static/silence.wav").play().then(() => { this.#silent = false; }, () => {});
  }

  show({ stage, playback, ranking, offer, mood, liked }) {
    const { t } = this.#words;
    const song = playback?.song ?? null;
    const state = playback?.state ?? "ready";
    const steered = STEERED.includes(state);
    this.#find("#player").dataset.state = state;
    // what a player needs is the operator's to know; a visitor hears music or does not
    this.#say("#player-state", t(steered || state === "ready" ? state : "resting"));
    this.#find("#player").hidden = !steered && !(IN_VISIT.includes(stage) && playback && state !== "ready");
    this.#say("#player-song", song ? `${song.title} · ${song.artist}` : "");
    if (song?.id !== this.#song) {
      this.#song = song?.id ?? null;
      this.#find("#sleeve").replaceChildren(...(song ? [sleeve(song, ranking?.mood ?? offer?.mood)] : []));
    }
    this.#buttons(playback, IN_VISIT.includes(stage), liked);
    const inPage = IN_PAGE.includes(playback?.output) && playback.state === "playing" && song !== null;
    const track = inPage && playback.output === "browser" ? song.uri?.match(TRACK)?.[1] ?? null : null;
    const file = inPage ? this.#file(song) : null;
    const embed = track && navigator.onLine && track !== this.#unreached ? track : null;
    const source = !inPage ? "none" : file ? "file" : embed ? "embed" : "house";
    this.#find("#player").dataset.source = source;
    const volume = (playback?.volume ?? 100) / 100;
    this.#playFile(file, volume);
    this.#embed(embed, song);
    this.#playHouse(source === "house", volume, IN_VISIT.includes(stage) ? mood : null); // nobody is heard who has not agreed
    const why = source === "house" && playback.output === "browser" ? t("house_music") : "";
    const quiet = this.#silent && ["file", "house"].includes(source) ? t("touch_to_hear") : "";
    this.#say("#player-message", [why, quiet].filter(Boolean).join(" "));
  }

  /** Written only when it differs, or screen readers would say it again. */
  #say(selector, text) {
    const place = this.#find(selector);
    if (place.textContent !== text) place.textContent = text;
  }

  #buttons(playback, visiting, liked) {
    const steered = visiting && STEERED.includes(playback?.state);
    const [like, hold, skip] = [this.#find("#like"), this.#find("#hold"), this.#find("#skip")];
    like.hidden = hold.hidden = skip.hidden = !steered;
    if (!steered) return;
    like.setAttribute("aria-pressed", liked.has(playback.song?.id));
    hold.dataset.command = playback.state === "paused" ? "resume" : "pause";
    this.#say("#hold", this.#words.t(`do_${hold.dataset.command}`));
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
    const frame = { src, title: this.#words.t("embed", { title: song.title }), allow: "autoplay; encrypted-media", height: "80" };
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
