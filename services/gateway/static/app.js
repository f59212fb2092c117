// The page: it shows what is true now, and passes on what the visitor does.

import { element } from "./drawing.js";
import { Live, send } from "./live.js";
import { Mirror } from "./mirror.js";
import { Moon } from "./moon.js";
import { Player } from "./player.js";
import { Offers } from "./offers.js";
import { MOODS, Present, agreeing, likeliest } from "./present.js";
import { Rest, dress } from "./rest.js";
import { Songs } from "./songs.js";
import { Visit } from "./visit.js";
import { Voice } from "./voice.js";
import { LANGUAGES, Words } from "./words.js";

const WORD_MS = 6_000;
const HELP_MS = 15_000; // of what may be said: a longer line
const UNCLEAR = { words: "words_unclear", voice: "voice_unclear" };
const AWAY_MS = 6_000; // a line that is lost for less is nobody's concern
const find = (selector) => document.querySelector(selector);
const LOCAL = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname); // the machine of the site
const now = () => performance.now();

const words = new Words(["static/messages", "look/texts"]);
const { t } = words;
const present = new Present(new URLSearchParams(location.search).get("camera"));
const visit = new Visit({ agreed, over, unclear: (by) => say(t(UNCLEAR[by])) });
const moon = new Moon();
const mirror = new Mirror(words);
const rest = new Rest();
const songs = new Songs(words, { pick, play: (song) => command("player", { command: "play", song: song.id }) });
const player = new Player(words, {
  ended: (song) => tell("player", { command: "ended", song }),
  changed: () => show(),
});
const watching = {
  known: (id) => {
    present.ownCamera = id;
    show();
  },
  blocked: () => {
    if (link !== "live") return; // then nothing gets through, and the page says so
    byHand();
    say(t("camera_blocked"));
    show();
  },
  ended: () => {
    present.ownCamera = null;
    show();
  },
};
let camera = null; // this device's; its program comes once somebody wants it
const voice = new Voice(words, {
  place: () => present.view().cameraId,
  sending: () => {
    const { session, mood } = present.view();
    visit.hear(now(), { session, before: mood?.id ?? null });
  },
  say: (key) => say(t(key), key === "can_say" ? HELP_MS : WORD_MS),
  answered: (choice) => tell("consents", { choice, to: "voice" }),
  changed: () => show(),
});
const offers = new Offers({
  renew: (cameraId, mood) => tell("offers", { camera_id: cameraId, mood }),
  choose: (mood) => {
    visit.choose(mood, now(), { touched: false });
    tell("moods", { mood, camera_id: present.view().cameraId });
  },
});
let shown = null; // the view on the page
let link = "connecting";
let lostMs = null;
let wordTimer = 0;
let chosenLanguage = false; // by a visitor, until the visit ends

function show() {
  if (words.language === null) return;
  const away = lostMs !== null && now() - lostMs > AWAY_MS;
  const seen = offers.keep(visit.step(present.view(), present.kiosk, now(), away), now());
  const view = { ...agreeing(seen), liked: visit.liked, mayEmbed: present.kiosk?.spotify_embed === true };
  shown = view;
  const cameraOn = ["online", "degraded"].includes(view.status?.state) || view.status?.code === "resting";
  const focused = document.activeElement;
  document.body.dataset.stage = document.body.className = view.stage; // a class is short in a style sheet
  const light = dress(present.kiosk?.theme);
  rest.show(view.stage, present.kiosk?.rest_after_s ?? 0, now());
  const visiting = ["mirror", "listen"].includes(view.stage);
  document.body.toggleAttribute("data-visit", visiting);
  document.body.dataset.mood = visiting ? view.word : "nobody";
  moon.show(view, light, present.kiosk?.colour);
  showPlace(present.kiosk);
  const onDisk = present.kiosk?.pictures_on_disk;
  voice.show(view, { terms: present.voice, commands: present.kiosk?.voice_commands === true, onDisk });
  mirror.show(view, {
    browserCamera: present.browserCamera,
    cameraOn,
    onDisk,
    mayWrite: present.kiosk?.words,
    mayHear: present.voice !== null,
    heard: present.heard,
    listening: voice.on,
  });
  songs.show(view);
  player.show(view);
  showStatus(view);
  showViewed(view);
  showStill(view.stillLeftS);
  find("#stop").hidden = ["attract", "goodbye", "closed", "away"].includes(view.stage);
  // what was touched may be gone: the next key shall not begin at the top of the page again
  const lost = focused !== document.body && !focused.checkVisibility();
  if (lost && [document.body, focused].includes(document.activeElement)) find("#sentence").focus();
}

/** Whoever stands here has to know that somebody looks. */
function showViewed({ viewed }) {
  const text = viewed ? t(viewed === "picture" ? "viewed_picture" : "viewed_outline") : "";
  if (find("#viewed").textContent !== text) find("#viewed").textContent = text;
  find("#viewed").hidden = !viewed;
}

function showStatus({ status, own, cameraId }) {
  const state = status?.state ?? "offline";
  const text =
    link !== "live"
      ? t("connecting")
      : present.unknownCamera
        ? t("camera_no_such", { name: cameraId })
        : own && camera?.on
          ? t("camera_own")
          : state === "offline"
            ? t("camera_off")
            : status.code === "drawn"
              ? t("camera_drawn")
              : status.code === "simulated"
                ? t("camera_simulated")
                : t(state === "degraded" ? "camera_weak" : "camera_on");
  if (find("#status").textContent !== text) find("#status").textContent = text;
  document.body.dataset.link = link;
  document.body.dataset.camera = own && camera?.on ? "own" : state;
}

function showStill(leftS) {
  const dialog = find("#still");
  if (leftS === null) return void (dialog.open && dialog.close());
  find("#still-left").textContent = t("still_left", { seconds: words.seconds(leftS) });
  if (!dialog.open) dialog.showModal();
}

/** One line to the visitor, gone after a while. */
function say(text, lastsMs = WORD_MS) {
  find("#word-to-you").textContent = text;
  clearTimeout(wordTimer);
  wordTimer = setTimeout(() => {
    find("#word-to-you").textContent = "";
  }, lastsMs);
}

/** Pass something on that the visitor need not hear of. */
async function tell(path, body) {
  try {
    await send(path, body);
    return true;
  } catch {
    return false; // the operator sees it in the log of the gateway
  }
}

async function command(path, body, done = null) {
  const worked = await tell(path, body);
  if (!worked) say(t("not_now"));
  else if (done) say(done);
  return worked;
}

async function agreed(how, by) {
  tell("consents", { choice: "given", by: how });
  if (present.heard && present.kiosk?.voice_commands) say(t("can_say"), HELP_MS);
  if (by !== "own") return;
  let whyNot = () => "camera_blocked"; // where not even the program comes
  try {
    const program = await import("./camera.js");
    whyNot = program.whyNot;
    camera ??= new program.BrowserCamera(find("#preview"), watching);
    if (visit.own) await camera.start();
  } catch (error) {
    camera?.stop();
    if (!visit.own) return; // who has left need not hear of it
    say(t(whyNot(error)));
    visit.askForMood(now());
  }
  show();
}

function over(why, by, wanted, mine) {
  const { cameraId, session, picked } = present.view(); // before the camera of this device is forgotten
  const reading = by !== "own" || camera?.on;
  camera?.stop();
  voice.stop();
  if (why === "stopped" && by) tell("consents", { choice: picked || by === "hand" ? "stopped" : "withdrawn" });
  if (why === "declined") tell("consents", { choice: "declined" });
  if (wanted && by && reading)
    tell("sessions/end", { camera_id: cameraId, ...(why === "stopped" ? { session_id: mine ?? session } : {}) });
  present.leave();
  if (chosenLanguage) speak(usual(), false);
}

async function pick(shown, song) {
  const place = present.cameras[present.view().cameraId];
  const offer = place?.offer?.songs.some(({ id }) => id === song.id) ? place.offer : shown; // renewed meanwhile
  if (place) place.picked = song.id;
  show();
  if (!(await command("picks", { offer_id: offer.id, song_id: song.id })) && place?.offer?.id === offer.id) {
    place.picked = null;
    show();
  }
}

async function choose(mood) {
  if (!visit.going && present.alone(LOCAL)) present.goAlone();
  const { cameraId, mood: read, chosen } = present.view();
  if (visit.going && !chosen && MOODS.includes(read?.mood))
    tell("feedback", { kind: "wrong_mood", mood: read.mood, camera_id: cameraId });
  visit.choose(mood, now());
  show();
  await command("moods", { mood, camera_id: cameraId });
}

/** How somebody feels in their own words, which are gone from the page once they are read. */
async function tellInWords() {
  const field = find("#feeling");
  const text = field.value.trim();
  if (!text) return;
  if (!visit.going && present.alone(LOCAL)) present.goAlone();
  const { cameraId, mood } = present.view();
  let read = null;
  try {
    read = await send("words", { text, camera_id: cameraId });
  } catch {
    return say(t("not_now"));
  }
  field.value = "";
  if (!read.probabilities) return say(t("words_unclear"));
  visit.choose(likeliest(read.probabilities), now(), { told: "words", before: mood?.id });
  show();
}

/** Without a camera: that of this device is switched off, and the one of this place rests for a while. */
function byHand() {
  const { cameraId, session } = present.view();
  const shared = present.alone(LOCAL) && !present.ownCamera; // the visit at the camera of this place is somebody else's
  camera?.stop();
  visit.askForMood(now());
  if (session && !shared) tell("sessions/end", { camera_id: cameraId });
}

/** By voice alone where there is no visit yet: the page asks, before the browser does. */
function speakUp() {
  if (!visit.going) visit.askForMood(now());
  if (present.alone(LOCAL)) present.goAlone();
  show();
  voice.toggle();
}

/** Other songs of the same mood, which stays what it was: read, or chosen. */
function again() {
  const { session, mood, ranking, offer, cameraId } = agreeing(visit.step(present.view(), present.kiosk, now(), false));
  const wanted = (ranking ?? offer)?.mood ?? mood?.mood;
  if (!MOODS.includes(wanted)) return;
  visit.touch(now());
  if (session) return void command("offers", { mood: wanted, camera_id: cameraId, other: true });
  visit.choose(wanted, now());
  command("moods", { mood: wanted, camera_id: cameraId });
}

function feedback(kind) {
  const { playback, cameraId } = present.view();
  const song = playback?.song?.id;
  if (song) tell("feedback", { kind, song_id: song, camera_id: cameraId });
  return song;
}

function like() {
  const song = feedback("like");
  if (!song) return;
  visit.liked.add(song);
  say(t("thanks"));
}

/** The name and the logo of the place, where it has some. */
function showPlace(kiosk) {
  const { name, logo } = kiosk ?? {}; // not known yet at first
  find(".brand span").textContent = name || "Moodstream";
  find(".brand svg").toggleAttribute("hidden", Boolean(logo));
  const picture = find(".brand img");
  picture.hidden = !logo;
  if (logo && !picture.src.endsWith(logo)) picture.src = `look/logo.png?${logo}`;
}

function skip() {
  feedback("skip");
  command("player", { command: "next" });
}

/** A command that was said before this page. */
async function obey(heard) {
  if (!present.kiosk?.voice_commands) return;
  const { obeyed } = await import("./voice/commands.js");
  const take = (id) => tell("commands", { id });
  const page = { present, visit, voice, shown: () => shown };
  const said = await obeyed(heard, page, { choose, pick, command, skip, turn, again, take }, now());
  if (!said) return;
  say(t("you_said", { command: `\u2066${said}\u2069` }));
  show();
}

const turn = (percent) => command("player", { command: "volume", percent });

const usual = () => present.kiosk?.language ?? Words.preferred();

async function speak(language, byVisitor) {
  if (!(await words.speak(language))) return;
  chosenLanguage = byVisitor;
  for (const place of document.querySelectorAll("[data-text]")) place.textContent = t(place.dataset.text);
  find("#feeling").placeholder = t("tell");
  find("#language").textContent = LANGUAGES[language];
  find("#language").setAttribute("aria-label", `${t("languages")}: ${LANGUAGES[language]}`);
  find("#languages").setAttribute("aria-label", t("languages"));
  for (const button of find("#languages").children) button.setAttribute("aria-pressed", button.lang === language);
  show();
}

/** Back to the usual language; also when its words could not be had, or the operator's came while others were on their way. */
function speakAsUsual() {
  if (!chosenLanguage && usual() !== words.language) speak(usual(), false);
}

for (const [language, name] of Object.entries(LANGUAGES)) {
  const button = element("button", { type: "button", className: "quiet", lang: language, textContent: name });
  button.addEventListener("click", () => {
    find("#languages").hidePopover();
    speak(language, true);
  });
  find("#languages").append(button);
}

/** What happens at a touch; afterwards the page shows it. */
const touched = (selector, act) =>
  find(selector).addEventListener("click", () => {
    act();
    show();
  });
for (const mood of MOODS) touched(`button[data-mood=${mood}]`, () => choose(mood));
find("#tell").addEventListener("submit", (event) => {
  event.preventDefault();
  tellInWords();
});
touched("#agree", () => visit.agree(now()));
touched("#own-camera", () => visit.askForOwnCamera(now()));
touched("#by-hand", byHand);
touched("#speak", speakUp);
touched("#microphone", () => voice.toggle());
touched("#hear-agree", () => voice.agree());
touched("#hear-decline", () => voice.decline());
touched("#decline", () => visit.end("declined", now()));
touched("#stop", () => visit.end("stopped", now()));
touched("#still-stop", () => visit.end("stopped", now()));
touched("#still-here", () => visit.touch(now()));
touched("#again", again);
touched("#like", like);
touched("#hold", () => command("player", { command: find("#hold").dataset.command }));
touched("#skip", skip);
touched("#mute", () => turn(player.volumeAfterMute));
find("#volume").addEventListener("change", () => {
  turn(Number(find("#volume").value));
  find("#volume").blur();
});
find("#still").addEventListener("cancel", () => visit.touch(now()));
for (const kind of ["pointerdown", "keydown"])
  addEventListener(
    kind,
    () => {
      visit.touch(now());
      rest.wake(now());
    },
    { capture: true },
  );
for (const change of ["online", "offline"]) addEventListener(change, show);

new Live({
  snapshot: (data) => {
    present.snapshot(data);
    speakAsUsual();
    show();
  },
  event: (data) => {
    if (data.type === "CommandHeard") return void obey(data);
    present.apply(data);
    show();
  },
  link: (state) => {
    lostMs = state === "live" ? null : (lostMs ?? now());
    link = state;
    show();
  },
}).start();
setInterval(() => {
  speakAsUsual();
  show();
}, 1_000); // moods and offers expire without an event, and people fall silent
speakAsUsual();
