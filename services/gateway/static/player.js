// What plays, why, and how far. Where the page itself is the output it plays, too: a file of the gateway's, Spotify's own
// frame where there is a network, else music that is made for the mood.

import { element, sleeve } from "./drawing.js";
import { Turntable } from "./turntable.js";

const TRACK = /^spotify:track:([A-Za-z0-9]+)$/;
const FILE = /^file:(?:\/\/localhost)?\/*(.+)$/;
const WEB = /^https?:\/\//;
const IN_PAGE = ["browser", "house"]; // a venue's page never shows a music service
const STEERED = ["playing", "paused"];
const IN_VISIT = ["mirror", "listen"];
const CODE_LETTERS = 200; // more would be too fine for the camera of a phone
const USUAL_MS = 180_000; // of made music, where the length of the song is not known
const LOUD = 60; // percent, where the volume from before a mute is not known

export class Player {
  #words;
  #handlers;
  #song = null;
  #embedded = null;
  #unreached = null;
  #broken = null; // a file that cannot be played
  #table;
  #house = null;
  #houseProgram = null; // comes once it is wanted
  #houseComes = false;
  #houseTries = 0; // a program that did not come is not asked for again under the same address
  #silent = true; // browsers let a page sound only once somebody has touched it, or where they are set so
  #clock = { song: null, playedMs: 0, at: 0, playing: false };
  #volumeBefore = LOUD;
  #endedHouse = null; // id of the song whose time has passed
  #find = (selector) => document.querySelector(selector);

  /** `ended(song)` is called when a file has played to its end, or cannot be played on; `changed()` when there is more to show. */
  constructor(words, handlers) {
    this.#words = words;
    this.#handlers = handlers;
    this.#table = new Turntable(this.#find("#player"), {
      ended: () => this.#song && handlers.ended(this.#song),
      broken: (address, begun) => this.#break(address, begun),
      refused: (refusal) => {
        this.#silent ||= refusal.name === "NotAllowedError";
      },
    });
    for (const touch of ["pointerup", "keyup"])
      addEventListener(touch, () => {
        this.#silent = false;
      });
    // A sound element says whether it may play; an AudioContext would only complain.
    new Audio("static/silence.wav").play().then(
      () => {
        this.#silent = false;
      },
      () => {},
    );
  }

  show({ stage, playback, volumeBeforeMute, ranking, offer, mood, liked, mayEmbed }) {
    const { t } = this.#words;
    const visiting = IN_VISIT.includes(stage);
    const song = playback?.song ?? null;
    this.#volumeBefore = volumeBeforeMute ?? LOUD;
    const state = playback?.state ?? "ready";
    const steered = STEERED.includes(state);
    const player = this.#find("#player");
    player.dataset.state = state;
    player.hidden = !steered && !(visiting && playback && state !== "ready");
    this.#showSong(song, ranking?.mood ?? offer?.mood, visiting && steered);
    this.#buttons(playback, visiting, liked);
    const source = this.#play(playback, song, visiting ? mood : null, mayEmbed); // nobody is heard who has not agreed
    player.dataset.source = source;
    // what a player needs is the operator's to know; a visitor hears music or does not
    this.#say("#player-state", t(source === "house" ? "your_song" : steered || state === "ready" ? state : "resting"));
    this.#say("#player-why", visiting && steered ? this.#why(song, ranking) : "");
    const made = source === "house" ? [t("house_music"), visiting ? t("house_help") : ""] : [];
    const quiet = this.#silent && ["file", "house"].includes(source) ? t("touch_to_hear") : "";
    this.#say("#player-message", [quiet, ...made].filter(Boolean).join(" "));
    this.#showPlace(song, visiting ? mood : null);
    this.#showProgress(playback, song, source);
  }

  /** Sound from the page, where it is the output; says what it is: none, file, embed or house. */
  #play(playback, song, mood, mayEmbed) {
    const inPage = IN_PAGE.includes(playback?.output) && playback.state === "playing" && song !== null;
    const track = inPage && playback.output === "browser" ? (song.uri?.match(TRACK)?.[1] ?? null) : null;
    const file = inPage && playback.sound !== "made" ? this.#file(song) : null;
    const embed = mayEmbed && track && navigator.onLine && track !== this.#unreached ? track : null;
    const source = !inPage ? "none" : file ? "file" : embed ? "embed" : "house";
    const volume = (playback?.volume ?? 100) / 100;
    this.#table.play(file, volume);
    this.#embed(embed, song);
    this.#playHouse(source === "house", volume, mood);
    return source;
  }

  /** Written only when it differs, or screen readers would say it again. */
  #say(selector, text) {
    const place = this.#find(selector);
    if (place.textContent !== text) place.textContent = text;
  }

  #showSong(song, mood, along) {
    this.#find("#along").hidden = this.#find("#take").hidden = !(along && song);
    if (song?.id === this.#song) return;
    this.#song = song?.id ?? null;
    // the title says in which direction the line is read, or it would lose its beginning where it is too long
    const names = song ? [element("span", { textContent: song.title })] : [];
    if (song?.artist) names.push(" · ", element("bdi", { textContent: song.artist }));
    this.#find("#player-song").replaceChildren(...names);
    this.#find("#sleeve").replaceChildren(...(song ? [sleeve(song, mood), ...this.#cover(song)] : []));
    this.#find("#taken").hidePopover();
    const code = song ? `api/v1/qr?text=${encodeURIComponent(address(song))}` : null;
    for (const picture of document.querySelectorAll("#along img, #taken img")) {
      if (code) picture.src = code;
      else picture.removeAttribute("src");
    }
  }

  /** The picture of the record, over the drawn sleeve; gone where there is none, or none that can be shown. */
  #cover(song) {
    const path = filePath(song);
    if (!path) return [];
    const picture = element("img", { alt: "", src: `cover/${path}`, decoding: "async" });
    picture.addEventListener("error", () => picture.remove());
    return [picture];
  }

  #why(song, ranking) {
    const ranked = ranking?.ranking.find((one) => one.song.id === song?.id);
    return ranked ? (this.#words.reason(ranked.compared) ?? ranked.reason) : "";
  }

  #buttons(playback, visiting, liked) {
    const { t } = this.#words;
    const steered = visiting && STEERED.includes(playback?.state);
    const [like, hold, skip, mute, volume] = ["like", "hold", "skip", "mute", "volume"].map((id) => this.#find(`#${id}`));
    like.hidden = hold.hidden = skip.hidden = mute.hidden = volume.hidden = !steered;
    if (!steered) return;
    like.setAttribute("aria-pressed", liked.has(playback.song?.id));
    hold.dataset.command = playback.state === "paused" ? "resume" : "pause";
    this.#say("#hold span", t(`do_${hold.dataset.command}`));
    const percent = playback.volume ?? 100;
    mute.setAttribute("aria-pressed", percent === 0);
    mute.setAttribute("aria-label", t("mute"));
    volume.setAttribute("aria-label", t("volume"));
    if (document.activeElement !== volume) volume.value = percent;
    volume.style.setProperty("--share", volume.value / 100);
  }

  /** Percent that a touch of the mute button leads to. */
  get volumeAfterMute() {
    return this.#find("#mute").getAttribute("aria-pressed") === "true" ? this.#volumeBefore : 0;
  }

  /** The song's place on the circumplex beside that of the mood, where the catalogue knows it. */
  #showPlace(song, mood) {
    const [valence, arousal] = [song?.valence ?? null, song?.arousal ?? null];
    const place = this.#find("#place");
    const unknown = !mood || valence === null || arousal === null;
    place.toggleAttribute("hidden", unknown);
    if (unknown) return;
    place.setAttribute("aria-label", this.#words.t("place"));
    const put = (selector, right, up) => this.#find(selector).setAttribute("transform", `translate(${44 * right} ${-44 * up})`);
    put("#place-song", valence, arousal);
    put("#place-mood", mood.valence, mood.arousal);
  }

  #showProgress(playback, song, source) {
    const heard = source === "file" ? this.#table.progress : this.#counted(playback, song, source);
    // music that is made would go on for ever: it keeps to the length of the song that it stands for
    if (source === "house" && heard && heard.playedS >= heard.lastsS && this.#endedHouse !== song.id) {
      this.#endedHouse = song.id;
      this.#handlers.ended(song.id);
    }
    this.#find("#progress").hidden = !heard;
    if (!heard) return;
    const played = Math.min(heard.playedS, heard.lastsS);
    this.#say("#played", minutes(played));
    this.#say("#lasts", minutes(heard.lastsS));
    this.#find("#progress").style.setProperty("--share", heard.lastsS ? played / heard.lastsS : 0);
  }

  /** How far a song is that another program plays: counted here, since events tell only when it began and paused. */
  #counted(playback, song, source) {
    const clock = this.#clock;
    const now = performance.now();
    if (clock.playing) clock.playedMs += now - clock.at;
    const playing = playback?.state === "playing";
    if (clock.song !== (song?.id ?? null)) {
      Object.assign(clock, { song: song?.id ?? null, playedMs: 0 });
      this.#endedHouse = null;
    }
    Object.assign(clock, { at: now, playing });
    const lastsMs = song?.duration_ms ?? (source === "house" ? USUAL_MS : null);
    return lastsMs ? { playedS: clock.playedMs / 1000, lastsS: lastsMs / 1000 } : null;
  }

  #file(song) {
    const path = filePath(song);
    return path && path !== this.#broken ? `music/${path}` : null;
  }

  /** A file that never played gives way to the house; one that vanished half-way to the next song. */
  #break(source, begun) {
    this.#broken = source.replace(/^music\//, "");
    if (begun && this.#song) this.#handlers.ended(this.#song);
    this.#handlers.changed();
  }

  #playHouse(wanted, volume, mood) {
    if (!wanted) {
      this.#house?.stop();
      return;
    }
    if (this.#houseProgram === null) return void this.#fetchHouse();
    const { House, sound } = this.#houseProgram;
    const [valence, arousal] = [mood?.valence ?? 0, mood?.arousal ?? 0];
    const { mode, bpm, brightnessHz } = sound(valence, arousal);
    this.#find("#player").dataset.house = `${mode} ${bpm} ${brightnessHz}`;
    if (this.#silent) return;
    this.#house ??= new House(new AudioContext());
    this.#house.mood(valence, arousal);
    this.#house.start(volume);
  }

  async #fetchHouse() {
    if (this.#houseComes) return;
    this.#houseComes = true;
    try {
      this.#houseProgram = await import(`./house.js?${this.#houseTries++}`);
    } catch {
      return; // the line is down: it is asked for again when there is something to show
    } finally {
      this.#houseComes = false;
    }
    this.#handlers.changed();
  }

  #embed(track, song) {
    if (track === this.#embedded) return;
    this.#embedded = track;
    this.#find("#embed").replaceChildren();
    if (track === null) return;
    const src = `https://open.spotify.com/embed/track/${track}`;
    const frame = {
      src,
      title: this.#words.t("embed", { title: song.title }),
      allow: "autoplay; encrypted-media",
      height: "80",
    };
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

/** Of a song that is a file: where it lies below /music and /cover. */
function filePath(song) {
  const path = song.uri?.match(FILE)?.[1];
  return path ? path.split("/").map(encodeURIComponent).join("/") : null;
}

/** What a phone is given to find the song: its page where it has one, else its names. */
function address({ title, artist, uri }) {
  const track = uri?.match(TRACK)?.[1];
  const found = track ? `https://open.spotify.com/track/${track}` : WEB.test(uri) ? uri : "";
  return found && found.length <= CODE_LETTERS
    ? found
    : [...[title, artist].filter(Boolean).join(" · ")].slice(0, CODE_LETTERS).join("");
}

/** As players show it: 3:07. */
function minutes(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
