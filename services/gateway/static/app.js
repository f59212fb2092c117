// The page: it shows what is true now, and passes on what the visitor does.

import { BrowserCamera, whyNot } from "./camera.js";
import { element } from "./drawing.js";
import { Live, send } from "./live.js";
import { Mirror } from "./mirror.js";
import { Moon } from "./moon.js";
import { Player } from "./player.js";
import { MOODS, Present } from "./present.js";
import { Songs } from "./songs.js";
import { Visit } from "./visit.js";
import { LANGUAGES, Words } from "./words.js";

const WORD_MS = 6_000;
const AWAY_MS = 6_000; // a line that is lost for less is nobody's concern
const find = (selector) => document.querySelector(selector);
const now = () => performance.now();

const words = new Words();
const { t } = words;
const present = new Present(new URLSearchParams(location.search).get("camera"));
const visit = new Visit({ agreed, over });
const moon = new Moon();
const mirror = new Mirror(words);
const songs = new Songs(words, pick);
const player = new Player(words, (song) => tell("player", { command: "ended", song }));
const camera = new BrowserCamera(find("#preview"), {
  known: (id) => { present.ownCamera = id; show(); },
  ended: () => { present.ownCamera = null; show(); },
});
let link = "connecting";
let lostMs = null;
let wordTimer = 0;
let chosenLanguage = false; // by a visitor, until the visit ends

function show() {
  if (words.language === null) return;
  const away = lostMs !== null && now() - lostMs > AWAY_MS;
  const view = { ...visit.step(present.view(), present.kiosk, now(), away), liked: visit.liked };
  const cameraOn = ["online", "degraded"].includes(view.status?.state);
  const focused = document.activeElement;
  document.body.dataset.stage = view.stage;
  document.body.dataset.mood = ["mirror", "listen"].includes(view.stage) ? view.word : "nobody";
  moon.show(view);
  mirror.show(view, { browserCamera: present.browserCamera, cameraOn });
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

function showStatus({ status, own }) {
  const state = status?.state ?? "offline";
  const text = link !== "live" ? t("connecting")
    : own && camera.on ? t("camera_own")
    : state === "offline" ? t("camera_off")
    : status.code === "drawn" ? t("camera_drawn")
    : status.code === "simulated" ? t("camera_simulated")
    : t(state === "degraded" ? "camera_weak" : "camera_on");
  if (find("#status").textContent !== text) find("#status").textContent = text;
  document.body.dataset.link = link;
  document.body.dataset.camera = own && camera.on ? "own" : state;
}

function showStill(leftS) {
  const dialog = find("#still");
  if (leftS === null) return void (dialog.open && dialog.close());
  find("#still-left").textContent = t("still_left", { seconds: words.seconds(leftS) });
  if (!dialog.open) dialog.showModal();
}

/** One line to the visitor, gone after a while. */
function say(text) {
  find("#word-to-you").textContent = text;
  clearTimeout(wordTimer);
  wordTimer = setTimeout(() => { find("#word-to-you").textContent = ""; }, WORD_MS);
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
  if (by !== "own") return;
  try {
    await camera.start();
  } catch (error) {
    camera.stop();
    say(t(whyNot(error)));
    visit.askForMood(now());
  }
  show();
}

function over(why, by, wanted) {
  const { cameraId } = present.view(); // before the camera of this device is forgotten
  const reading = by !== "own" || camera.on;
  camera.stop();
  if (why === "stopped" && by) tell("consents", { choice: "withdrawn" });
  if (why === "declined") tell("consents", { choice: "declined" });
  if (wanted && by && reading) tell("sessions/end", { camera_id: cameraId });
  if (chosenLanguage) speak(usual(), false);
}

async function pick(offer, song) {
  const place = present.cameras[present.view().cameraId];
  if (place) place.picked = song.id;
  show();
  if (!(await command("picks", { offer_id: offer.id, song_id: song.id })) && place?.offer?.id === offer.id) {
    place.picked = null;
    show();
  }
}

async function choose(mood) {
  const { cameraId, mood: read, chosen } = present.view();
  if (visit.going && !chosen && MOODS.includes(read?.mood)) tell("feedback", { kind: "wrong_mood", mood: read.mood, camera_id: cameraId });
  visit.choose(mood, now());
  show();
  await command("moods", { mood, camera_id: cameraId });
}

/** Without a camera: that of this device is switched off, and the one of this place rests for a while. */
function byHand() {
  const { cameraId, session } = present.view();
  camera.stop();
  visit.askForMood(now());
  if (session) tell("sessions/end", { camera_id: cameraId });
}

/** Other songs of the same mood. */
function again() {
  const { mood, ranking, offer } = visit.step(present.view(), present.kiosk, now(), false);
  const wanted = MOODS.includes(mood?.mood) ? mood.mood : (ranking ?? offer)?.mood;
  if (!wanted) return;
  visit.choose(wanted, now());
  command("moods", { mood: wanted, camera_id: present.view().cameraId });
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

function skip() {
  feedback("skip");
  command("player", { command: "next" });
}

const usual = () => present.kiosk?.language ?? Words.preferred();

async function speak(language, byVisitor) {
  if (!(await words.speak(language))) return;
  chosenLanguage = byVisitor;
  for (const place of document.querySelectorAll("[data-text]")) place.textContent = t(place.dataset.text);
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
  button.addEventListener("click", () => { find("#languages").hidePopover(); speak(language, true); });
  find("#languages").append(button);
}

/** What happens at a touch; afterwards the page shows it. */
const touched = (selector, act) => find(selector).addEventListener("click", () => { act(); show(); });
for (const mood of MOODS) touched(`button[data-mood=${mood}]`, () => choose(mood));
touched("#agree", () => visit.agree(now()));
touched("#own-camera", () => visit.askForOwnCamera(now()));
touched("#by-hand", byHand);
touched("#decline", () => visit.end("declined", now()));
touched("#stop", () => visit.end("stopped", now()));
touched("#still-stop", () => visit.end("stopped", now()));
touched("#still-here", () => visit.touch(now()));
touched("#again", again);
touched("#like", like);
touched("#hold", () => command("player", { command: find("#hold").dataset.command }));
touched("#skip", skip);
find("#still").addEventListener("cancel", () => visit.touch(now()));
for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, () => visit.touch(now()), { capture: true });
for (const change of ["online", "offline"]) addEventListener(change, show);

new Live({
  snapshot: (data) => {
    present.snapshot(data);
    speakAsUsual();
    show();
  },
  event: (data) => { present.apply(data); show(); },
  link: (state) => {
    lostMs = state === "live" ? null : lostMs ?? now();
    link = state;
    show();
  },
}).start();
setInterval(() => { speakAsUsual(); show(); }, 1_000); // moods and offers expire without an event, and people fall silent
speakAsUsual();
