// The operator's page: asks for the status every two seconds, and passes on what the operator does.

import { chart } from "./chart.js";
import { Learned } from "./learned.js";
import { View } from "./view.js";

const STATUS_MS = 2_000;
const HISTORY_MS = 20_000;
const SONGS_LISTED = 50;
const CONSENTS = [
  "given_by_touch",
  "given_by_stay",
  "declined",
  "stopped",
  "withdrawn",
  "viewed",
  "voice_given",
  "voice_declined",
  "voice_withdrawn",
];
const MOODS = ["angry", "happy", "sad", "calm"];
const SERVICES = ["camera", "emotion", "voice", "recommender", "player", "gateway", "bridge"];
const WORDS = { online: "works", offline: "away", degraded: "works badly", off: "not set up", unknown: "not heard of" };
const VOICES = {
  // by what MOODSTREAM_VOICE names
  free: "Voices are heard, with models/voice_free.onnx: its recordings (EMO-DB) are free for any use.",
  research:
    "Voices are heard, with models/voice.onnx: its recordings are for research and non-commercial use alone. For business set MOODSTREAM_VOICE=free.",
};
const RESTS = ["resting", "closed"]; // codes of a camera that comes back by itself
const find = (selector) => document.querySelector(selector);
let hours = 6;
let status = null;
const view = new View(ask, element);
const learned = new Learned(ask, element);
let acting = Promise.resolve(); // requests sent at once may arrive in another order than they were pressed

function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  const { dataset, ...rest } = properties;
  Object.assign(made, rest);
  Object.assign(made.dataset, dataset);
  made.append(...children);
  return made;
}

const cell = (text, properties = {}) => element("td", properties, `${text}`);
const row = (name, ...cells) => element("tr", {}, element("th", { scope: "row" }, name), ...cells);

async function ask(path, body, method = body === undefined ? "GET" : "POST") {
  const answer = await fetch(`api/v1/${path}`, {
    method,
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(20_000),
  });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.error);
  return said.result;
}

/** Do something for the operator, after all that was asked for before it, and look; what fails is said in one line. */
function act(path, body, done = "") {
  find("#said").textContent = "";
  acting = acting.then(async () => {
    try {
      await ask(path, body);
      find("#said").textContent = done;
    } catch (error) {
      sayFailed(error);
    }
  });
  acting.then(look);
}

function sayFailed(error) {
  find("#said").textContent = `That did not work: ${error.message}`;
}

async function look() {
  try {
    status = await ask("operator/status");
  } catch (error) {
    document.body.dataset.state = "lost";
    find("#verdict").textContent = `No answer: ${error.message}. Trying again …`;
    return;
  }
  document.body.dataset.state = status.state;
  document.body.dataset.role = status.role;
  find("#verdict").textContent = verdict();
  showCameras();
  showSound();
  showDoors();
  showTables();
}

function verdict() {
  if (!status.redis.up) return "Redis does not answer";
  const away = SERVICES.filter((name) => status.services[name] && !["online", "off"].includes(status.services[name].state));
  if (away.length) return `Needs you: ${away.join(", ")}`;
  if (!status.opening.open) return "Closed; everything works";
  return status.state === "ok" ? "Everything works" : "A camera needs you";
}

function showCameras() {
  for (const button of document.querySelectorAll("[data-view]")) button.hidden = status.preview === "off";
  const names = Object.keys(status.cameras).sort();
  if (!names.includes(status.site.camera_id)) names.unshift(status.site.camera_id);
  const shown = JSON.stringify(names);
  if (find("#cameras").dataset.shown !== shown) {
    find("#cameras").dataset.shown = shown;
    find("#cameras").replaceChildren(...names.map(cameraCard));
    find("#cameras-section").classList.toggle("wide", names.length > 1);
  }
  for (const name of names) fillCard(name, status.cameras[name] ?? { state: "unknown", last_frame_at: null });
}

/** The buttons stay what they are from look to look, and with them the focus. */
function cameraCard(name) {
  const puppet = MOODS.map((mood) => {
    const button = element("button", { type: "button", dataset: { mood } }, mood);
    button.addEventListener("click", () => act("moods", { mood, camera_id: name }, `${name}: ${mood} stands for a minute.`));
    return button;
  });
  const restart = element("button", { type: "button", dataset: { restart: name } }, "Restart the visit");
  restart.addEventListener("click", () =>
    act("sessions/end", { camera_id: name }, `${name}: the visit was ended and forgotten.`),
  );
  const mount = element("button", { type: "button", className: "owners", dataset: { view: name } }, "Mount this camera");
  mount.title = "What it sees, for two minutes";
  mount.addEventListener("click", () => view.start(name));
  const group = element("div", { className: "row" }, ...puppet, restart, mount);
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", `Play a mood at ${name}`);
  return element("article", { dataset: { camera: name } }, element("h3", {}, name), element("dl"), group);
}

function fillCard(name, camera) {
  const facts = [
    ["Camera", RESTS.includes(camera.code) ? camera.reason : [WORDS[camera.state], camera.reason].filter(Boolean).join(": ")],
    ["Last picture", camera.last_frame_at ? `${clock(camera.last_frame_at)}, ${ago(camera.last_frame_at)}` : "none yet"],
    [
      "Mood",
      camera.visited
        ? `${camera.mood} (${Math.round(camera.confidence * 100)} %), since ${clock(camera.session_since)}`
        : "nobody there",
    ],
    ["Faces", camera.faces ?? 0],
  ];
  const card = find(`article[data-camera="${CSS.escape(name)}"]`);
  card.querySelector("h3").className = "state";
  card.querySelector("h3").dataset.state = RESTS.includes(camera.code) ? "off" : camera.state;
  card
    .querySelector("dl")
    .replaceChildren(...facts.flatMap(([what, text]) => [element("dt", {}, what), element("dd", {}, `${text}`)]));
}

function showSound() {
  const { playback } = status;
  const song = playback?.song;
  find("#playing").textContent = song
    ? `${song.title}, ${song.artist}`
    : playback
      ? "Nothing plays"
      : "The player has not said anything yet";
  const detail = [playback?.state.replaceAll("_", " "), playback?.output, playback?.device, playback?.message];
  find("#playing-detail").textContent = detail.filter(Boolean).join(" · ");
  find("#block").hidden = !song;
  find("#block").dataset.song = song?.id ?? "";
  const paused = playback?.state === "paused";
  find("#hold").textContent = paused ? "Go on" : "Pause";
  find("#hold").dataset.player = paused ? "resume" : "pause";
  const muted = playback?.volume === 0;
  find("#mute").setAttribute("aria-pressed", muted);
  find("#mute").textContent = muted ? "Unmute" : "Mute";
  if (document.activeElement !== find("#volume")) find("#volume").value = playback?.volume ?? 50;
  find("#volume-value").textContent = playback?.volume == null ? "not set" : `${playback.volume} %`;
}

function showDoors() {
  const { open, changes_at: changes, by } = status.opening;
  find("#doors").textContent = open ? "Open" : "Closed: cameras rest";
  // by the clock at the site, wherever the operator is
  const wall = { weekday: "long", hour: "2-digit", minute: "2-digit", timeZone: "UTC" };
  const until = changes ? `until ${new Date(`${changes.slice(0, 19)}Z`).toLocaleString("en-GB", wall)}` : "";
  find("#doors-detail").textContent = [
    by === "operator" ? "by hand" : changes ? "by the hours" : "no opening hours are set",
    until,
  ]
    .filter(Boolean)
    .join(" ");
  for (const button of document.querySelectorAll("[data-doors]")) {
    const pressed = by === "operator" ? `${open}` : "null";
    button.setAttribute("aria-pressed", button.dataset.doors === pressed);
  }
}

function showTables() {
  find("#services").replaceChildren(
    ...SERVICES.map((name) => {
      const { state, workers, seen_s_ago: seen } = status.services[name] ?? { state: "off", workers: 0, seen_s_ago: null };
      const how = element("td", { className: "state", dataset: { state } }, WORDS[state]);
      return row(
        name,
        how,
        cell(workers > 1 ? `${workers} workers` : seen === null || workers ? "" : `seen ${Math.round(seen)} s ago`, {
          className: "note",
        }),
      );
    }),
  );
  find("#voice").textContent = VOICES[status.voice] ?? "No voice is heard (MOODSTREAM_VOICE is off).";
  find("#redis").textContent = status.redis.up
    ? `Redis answers in ${status.redis.ping_ms} ms and holds ${status.redis.memory_mb} MB. ${status.listeners} listen to the events.`
    : "Redis does not answer.";
  find("#streams").replaceChildren(
    ...status.streams.map(({ stream, entries, dead_letters: dead, groups }) => {
      const sum = (name) => (groups.some((one) => one[name] === null) ? "?" : groups.reduce((all, one) => all + one[name], 0));
      return row(
        stream,
        cell(entries, { className: "number" }),
        cell(sum("lag"), { className: "number" }),
        cell(sum("pending"), { className: "number" }),
        cell(dead, { className: dead ? "number alarm" : "number" }),
      );
    }),
  );
  find("#consents").replaceChildren(
    ...status.consents.map((day) => row(day.day, ...CONSENTS.map((name) => cell(day[name], { className: "number" })))),
  );
}

async function lookBack() {
  let history;
  try {
    history = await ask(`operator/history?hours=${hours}`);
  } catch {
    return; // the next look says that the line is down
  }
  find("#chart").replaceChildren(chart(history));
  const sum = (name) => history.buckets.reduce((all, bucket) => all + (bucket[name] ?? 0), 0);
  const names = {
    visits: "visits",
    picks: "songs picked",
    songs: "songs played",
    likes: "likes",
    skips: "skips",
    wrong_moods: "“wrong mood”",
  };
  find("#totals").replaceChildren(
    ...Object.entries(names).map(([name, text]) =>
      element("div", {}, element("dt", {}, text), element("dd", {}, `${sum(name)}`)),
    ),
  );
  find("#songs").replaceChildren(
    ...history.songs
      .slice(0, SONGS_LISTED)
      .map((song) =>
        element(
          "tr",
          {},
          cell(clock(song.at), { className: "note" }),
          cell(`${song.title}, ${song.artist}`),
          cell(song.mood ?? "", { className: "note" }),
        ),
      ),
  );
}

async function selfTest() {
  find("#test").disabled = true;
  find("#checks").replaceChildren(element("li", {}, "Testing …"));
  try {
    const { checks } = await ask("operator/self-test", null, "POST");
    find("#checks").replaceChildren(
      ...checks.map(({ name, ok, ms, detail }) =>
        element(
          "li",
          { className: "state", dataset: { state: `${ok}` } },
          name,
          element("span", { className: "note" }, `${ok ? "" : "Failed: "}${detail} (${Math.round(ms)} ms)`),
        ),
      ),
    );
  } catch (error) {
    find("#checks").replaceChildren(element("li", {}, `The test did not run: ${error.message}`));
  }
  find("#test").disabled = false;
}

const clock = (iso) => new Date(iso).toLocaleTimeString("en-GB");

function ago(iso) {
  const seconds = Math.max(0, Math.round((Date.now() - Date.parse(iso)) / 1000));
  return seconds < 120 ? `${seconds} s ago` : `${Math.round(seconds / 60)} min ago`;
}

for (const button of document.querySelectorAll("[data-player]")) {
  button.addEventListener("click", () => act("player", { command: button.dataset.player }));
}
for (const button of document.querySelectorAll("[data-doors]")) {
  button.addEventListener("click", () => act("operator/opening", { open: JSON.parse(button.dataset.doors) }));
}
for (const button of document.querySelectorAll("[data-hours]")) {
  button.addEventListener("click", () => {
    hours = Number(button.dataset.hours);
    for (const other of document.querySelectorAll("[data-hours]")) other.setAttribute("aria-pressed", other === button);
    lookBack();
  });
}
find("#volume").addEventListener("change", (event) =>
  act("player", { command: "volume", percent: Number(event.target.value) }),
);
find("#volume").addEventListener("input", (event) => {
  find("#volume-value").textContent = `${event.target.value} %`;
});
find("#mute").addEventListener("click", () => {
  const percent = status?.playback?.volume === 0 ? (status.volume_before_mute ?? 100) : 0;
  act("player", { command: "volume", percent });
});
find("#block").addEventListener(
  "click",
  ({
    currentTarget: {
      dataset: { song },
    },
  }) => {
    const title = find("#playing").textContent;
    if (!confirm(`Never offer ${title} again? The owner can undo this in the settings.`)) return;
    act("operator/block", { song_id: song }, `${title} is not offered any more.`);
    const skip = () => ask("player", { command: "next" }).catch(() => ask("player", { command: "stop" })); // none may wait
    acting = acting.then(skip).catch(sayFailed);
  },
);
find("#test").addEventListener("click", selfTest);
find("#legend").append(
  ...[
    ["calm", "calm"],
    ["sad", "sad"],
    ["happy", "happy"],
    ["angry", "angry"],
    ["unsure", "not sure"],
    ["song", "a song begins"],
  ].map(([name, text]) => element("span", {}, element("i", { className: name }), text)),
);

/** Again and again, the next time only after the answer: a slow server is not asked more often. */
async function repeat(job, pauseMs) {
  for (;;) {
    await job();
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
repeat(look, STATUS_MS);
repeat(lookBack, HISTORY_MS);
repeat(() => learned.look(), HISTORY_MS);
