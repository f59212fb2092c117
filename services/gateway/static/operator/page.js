// The operator's page: asks for the status every two seconds, and passes on what the operator does.

import { Cameras } from "./cameras.js";
import { amount, chart, moodName } from "./chart.js";
import { Learned } from "./learned.js";
import { api, ask, element, english, find, say, speak, t, titled, words } from "./parts.js";
import { SERVICES, showSongs, showTables } from "./tables.js";
import { View } from "./view.js";

const STATUS_MS = 2_000;
const HISTORY_MS = 20_000;
const DAY_H = 24;
const TOTALS = { visits: "visits", picks: "picks", songs: "played", likes: "likes", skips: "skips", wrong_moods: "wrong" };
const page = { hours: 6, status: null, acting: Promise.resolve() };
const cameras = new Cameras(act, new View());
const learned = new Learned();

/** Do something for the operator, after all that was asked for before it, and look; what fails is said in one line. */
function act(path, body, done = "") {
  find("#said").textContent = "";
  // requests sent at once may arrive in another order than they were pressed
  page.acting = page.acting.then(async () => {
    try {
      await api(path, "POST", body);
      find("#said").textContent = done;
    } catch (error) {
      sayFailed(error);
    }
  });
  page.acting.then(look);
}

function sayFailed(error) {
  say(find("#said"), t("op_not_done"), error.message);
}

async function look() {
  try {
    page.status = await ask("status");
  } catch (error) {
    document.body.dataset.state = "lost";
    say(find("#verdict"), t("op_lost"), error.message);
    return;
  }
  document.body.dataset.state = page.status.state;
  document.body.dataset.role = page.status.role;
  find("#verdict").textContent = verdict(page.status);
  cameras.show(page.status);
  showSound(page.status);
  showOpening(page.status.opening);
  showTables(page.status);
}

function verdict({ redis, services, opening, state }) {
  if (!redis.up) return t("op_no_redis");
  const away = SERVICES.filter((name) => services[name] && !["online", "off"].includes(services[name].state));
  if (away.length) return t("op_needs", { services: away.join(", ") });
  if (!opening.open) return t("op_works_closed");
  return t(state === "ok" ? "op_works" : "op_needs_camera");
}

function showSound({ playback }) {
  const song = playback?.song;
  const nothing = t(playback ? "op_plays_nothing" : "op_plays_unknown");
  find("#playing").textContent = song ? titled(song) : nothing;
  showPlayback(playback);
  find("#block").hidden = !song;
  find("#block").dataset.song = song?.id ?? "";
  const paused = playback?.state === "paused";
  find("#hold").textContent = t(paused ? "do_resume" : "do_pause");
  find("#hold").dataset.player = paused ? "resume" : "pause";
  const muted = playback?.volume === 0;
  find("#mute").setAttribute("aria-pressed", muted);
  find("#mute").textContent = t(muted ? "op_unmute" : "op_mute");
  if (document.activeElement !== find("#volume")) find("#volume").value = playback?.volume ?? 50;
  showVolume(playback?.volume);
}

/** State, output, device, and in the player's own words what is to be done. */
function showPlayback(playback) {
  const named = (key, name) => (words.has(key) ? t(key) : name);
  const told = playback
    ? [named(`op_player_${playback.state}`, playback.state), named(`op_choice_player_${playback.output}`, playback.output)]
    : [];
  if (playback?.device) told.push(element("bdi", {}, playback.device));
  if (playback?.message) told.push(english(playback.message));
  find("#playing-detail").replaceChildren(...told.flatMap((part, place) => (place ? [" · ", part] : [part])));
}

function showVolume(percent) {
  find("#volume-value").textContent = percent == null ? t("op_volume_unset") : words.percent(percent / 100);
}

function showOpening({ open, changes_at: changes, by }) {
  find("#doors").textContent = t(open ? "op_opening_open" : "op_opening_closed");
  // by the clock at the site, wherever the operator is
  const wall = { weekday: "long", hour: "2-digit", minute: "2-digit", timeZone: "UTC" };
  const until = changes && new Date(`${changes.slice(0, 19)}Z`).toLocaleString(words.language, wall);
  const hours = t(changes ? "op_opening_hours" : "op_opening_none");
  const why = [by === "operator" ? t("op_opening_hand") : hours];
  find("#doors-detail").textContent = [...why, ...(until ? [t("op_opening_until", { time: until })] : [])].join(" ");
  for (const button of document.querySelectorAll("[data-doors]")) {
    const pressed = by === "operator" ? `${open}` : "null";
    button.setAttribute("aria-pressed", button.dataset.doors === pressed);
  }
}

async function lookBack() {
  let history;
  try {
    history = await ask(`history?hours=${page.hours}`);
  } catch {
    return; // the next look says that the line is down
  }
  find("#chart").replaceChildren(chart(history));
  const sum = (name) => history.buckets.reduce((all, bucket) => all + (bucket[name] ?? 0), 0);
  find("#totals").replaceChildren(
    ...Object.entries(TOTALS).map(([name, key]) =>
      element("div", {}, element("dt", {}, t(`op_report_${key}`)), element("dd", {}, words.number(sum(name)))),
    ),
  );
  showSongs(history.songs);
}

async function selfTest() {
  find("#test").disabled = true;
  find("#checks").replaceChildren(element("li", {}, t("op_testing")));
  try {
    const { checks } = await ask("self-test", "POST");
    find("#checks").replaceChildren(...checks.map(showCheck));
  } catch (error) {
    const failed = element("li");
    say(failed, t("op_test_failed"), error.message);
    find("#checks").replaceChildren(failed);
  }
  find("#test").disabled = false;
}

function showCheck({ check, camera_id: camera, ok, ms, detail }) {
  const note = element("span", { className: "note" }, ok ? "" : `${t("op_check_failed")} `);
  note.append(english(`${detail} (${Math.round(ms)} ms)`));
  const name = t(`op_check_${check}`, { camera });
  return element("li", { className: "state", dataset: { state: `${ok}` } }, name, note);
}

function neverAgain({ currentTarget }) {
  const song = find("#playing").textContent;
  if (!confirm(t("op_songs_sure", { song }))) return;
  act("operator/block", { song_id: currentTarget.dataset.song }, t("op_songs_blocked", { song }));
  const command = (name) => api("player", "POST", { command: name });
  const skip = () => command("next").catch(() => command("stop")); // none may wait
  page.acting = page.acting.then(skip).catch(sayFailed);
}

function listen() {
  for (const button of document.querySelectorAll("[data-player]")) {
    button.addEventListener("click", () => act("player", { command: button.dataset.player }));
  }
  for (const button of document.querySelectorAll("[data-doors]")) {
    button.addEventListener("click", () => act("operator/opening", { open: JSON.parse(button.dataset.doors) }));
  }
  for (const button of document.querySelectorAll("[data-hours]")) {
    const hours = Number(button.dataset.hours);
    button.textContent = hours > DAY_H ? amount(hours / DAY_H, "day") : amount(hours, "hour");
    button.addEventListener("click", () => {
      page.hours = hours;
      for (const other of document.querySelectorAll("[data-hours]")) other.setAttribute("aria-pressed", other === button);
      lookBack();
    });
  }
  find("#volume").addEventListener("change", ({ target }) =>
    act("player", { command: "volume", percent: Number(target.value) }),
  );
  find("#volume").addEventListener("input", ({ target }) => showVolume(Number(target.value)));
  find("#mute").addEventListener("click", () => {
    const percent = page.status?.playback?.volume === 0 ? (page.status.volume_before_mute ?? 100) : 0;
    act("player", { command: "volume", percent });
  });
  find("#block").addEventListener("click", neverAgain);
  find("#test").addEventListener("click", selfTest);
  const colours = ["calm", "sad", "happy", "angry", "unsure"].map((mood) => [mood, moodName(mood)]);
  find("#legend").append(
    ...[...colours, ["song", t("op_song_begins")]].map(([name, text]) =>
      element("span", {}, element("i", { className: name }), text),
    ),
  );
}

/** Again and again, the next time only after the answer: a slow server is not asked more often. */
async function repeat(job, pauseMs) {
  for (;;) {
    await job();
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

async function begin() {
  await speak("op_operator");
  listen();
  repeat(look, STATUS_MS);
  repeat(lookBack, HISTORY_MS);
  repeat(() => learned.look(), HISTORY_MS);
}

begin();
