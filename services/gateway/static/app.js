// The page: it shows what is true now, and passes on what the visitor does.

import { BrowserCamera, whyNot } from "./camera.js";
import { Live, Refused, send } from "./live.js";
import { en, translator } from "./messages.js";
import { Mirror } from "./mirror.js";
import { Player } from "./player.js";
import { MOODS, Present } from "./present.js";
import { Songs } from "./songs.js";

const WORD_MS = 7_000;
const t = translator(en);
const find = (selector) => document.querySelector(selector);

const present = new Present();
const mirror = new Mirror(t);
const songs = new Songs(t, pick);
const player = new Player(t, (song) => command("player", { command: "ended", song }));
const camera = new BrowserCamera(find("#preview"), {
  known: (id) => { present.ownCamera = id; show(); },
  ended: () => { present.ownCamera = null; show(); },
});
let link = "connecting";
let wordTimer = 0;

function show() {
  const view = present.view();
  mirror.show(view);
  songs.show(view);
  player.show(view);
  showCamera(view);
}

function showCamera({ own, status }) {
  const text = link !== "live" ? t(link) : own ? t("camera_own") : status ? t("camera_local", { what: what(status) }) : t("camera_none");
  if (find("#status").textContent !== text) find("#status").textContent = text;
  document.body.dataset.link = link;
  document.body.dataset.camera = own ? "own" : status?.state ?? "none";
  const button = find("#camera");
  button.hidden = !present.browserCamera;
  button.textContent = t(camera.on ? "camera_end" : "camera_start");
  button.setAttribute("aria-pressed", camera.on);
}

function what({ state, reason }) {
  if (state === "online") return reason || t("camera_online");
  if (state === "offline" && !reason) return t("camera_offline_bare");
  return t(`camera_${state}`, { why: reason });
}

/** One line to the visitor, gone after a while. */
function say(text) {
  find("#word-to-you").textContent = text;
  clearTimeout(wordTimer);
  wordTimer = setTimeout(() => { find("#word-to-you").textContent = ""; }, WORD_MS);
}

async function command(path, body, done = null) {
  try {
    await send(path, body);
    if (done) say(done);
    return true;
  } catch (error) {
    say(error instanceof Refused ? t("failed", { why: error.message }) : t("failed_offline"));
    return false;
  }
}

async function pick(offer, song) {
  const place = present.cameras[present.view().cameraId];
  place.picked = song.id;
  show();
  if (!(await command("picks", { offer_id: offer.id, song_id: song.id })) && place.offer?.id === offer.id) {
    place.picked = null;
    show();
  }
}

function choose(mood) {
  return command("moods", { mood, camera_id: present.view().cameraId }, t("asked_for", { mood: capital(t(mood)) }));
}

/** Songs are offered once for a mood of a visit: for others, a new visit begins with the same mood. */
async function again() {
  const { cameraId, mood, offer, ranking } = present.view();
  const wanted = MOODS.includes(mood?.mood) ? mood.mood : (ranking ?? offer).mood;
  if (await command("sessions/end", { camera_id: cameraId })) await choose(wanted);
}

async function stop() {
  const { cameraId } = present.view();
  camera.stop();
  await command("sessions/end", { camera_id: cameraId }, t("stopped"));
}

async function toggleCamera() {
  if (camera.on) return camera.stop();
  try {
    await camera.start();
    say(t("camera_where", { host: location.host }));
  } catch (error) {
    camera.stop();
    say(t(whyNot(error)));
  }
  show();
}

const capital = (word) => word[0].toUpperCase() + word.slice(1);

for (const place of document.querySelectorAll("[data-text]")) place.textContent = t(place.dataset.text);
for (const mood of MOODS) find(`button[data-mood=${mood}]`).addEventListener("click", () => choose(mood));
find("#stop").addEventListener("click", stop);
find("#camera").addEventListener("click", toggleCamera);
find("#again").addEventListener("click", again);
for (const button of document.querySelectorAll("[data-command]")) {
  button.addEventListener("click", () => command("player", { command: button.dataset.command }));
}
for (const change of ["online", "offline"]) addEventListener(change, show);

new Live({
  snapshot: (data) => { present.snapshot(data); show(); },
  event: (data) => { present.apply(data); show(); },
  link: (state) => {
    if (state === "live" && link === "lost") say(t("back"));
    link = state;
    show();
  },
}).start();
setInterval(show, 1_000); // moods and offers expire without an event
show();
