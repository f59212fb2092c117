// Songs for the operator: find them, see their mood and place, correct a mood, block one for ever.

import { beginImport } from "./import.js";
import { element, find, speak, t, say as tell, words } from "./parts.js";

const MOODS = ["angry", "happy", "sad", "calm"];
const SHOWN = 30;
const TRIES = 20;
const SVG = "http://www.w3.org/2000/svg";
const sound = new Audio();
const heard = { button: null, ended: null };
let isOwner = false;
let asked = 0;

async function ask(path, body = undefined) {
  const answer = await fetch(`../api/v1/${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(20_000),
  });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.error);
  return said.result;
}

const say = (text, reason = "") => tell(find("#said"), text, reason);

async function search() {
  const number = (asked += 1);
  try {
    const { found } = await ask(`songs/search?${new URLSearchParams({ text: find("#text").value, n: SHOWN })}`);
    if (number !== asked) return; // another search has begun meanwhile
    find("#results").hidden = !found.length;
    find("#found").replaceChildren(...found.map(row));
    say(found.length ? t("op_songs_count", { count: words.number(found.length) }) : t("op_songs_none"));
  } catch (error) {
    say(t("op_songs_failed"), error.message);
  }
}

function row({ song, mood }) {
  const name = [song.title, song.artist].filter(Boolean).join(", ");
  const select = element("select", { disabled: !isOwner }, ...MOODS.map((one) => new Option(t(one), one)));
  select.value = mood;
  select.setAttribute("aria-label", t("op_songs_mood_of", { song: name }));
  const place = element("div", { className: "place" });
  draw(place, song, mood);
  select.addEventListener("change", () => correct(song, name, select, place));
  const block = element("button", { type: "button" }, t("op_songs_block"));
  block.addEventListener("click", () => never(song, name, block));
  return element(
    "tr",
    {},
    element("th", { scope: "row", dir: "auto" }, ...listen(song, name), name),
    element("td", {}, place),
    element("td", {}, select),
    element("td", {}, block),
  );
}

/** A button for a recording of this site; the songs of others have none here. */
function listen(song, name) {
  if (!song.uri?.startsWith("file:")) return [];
  const button = element("button", { type: "button", className: "listen" }, "▶");
  const ended = () => {
    button.textContent = "▶";
    button.setAttribute("aria-label", t("op_songs_listen", { song: name }));
  };
  ended();
  button.addEventListener("click", async () => {
    const plays = heard.button === button && !sound.paused;
    sound.pause();
    heard.ended?.();
    if (plays) return;
    Object.assign(heard, { button, ended });
    sound.src = `../music/${song.uri.slice("file:".length).split("/").map(encodeURIComponent).join("/")}`;
    button.textContent = "■";
    button.setAttribute("aria-label", t("op_songs_listen_end"));
    await sound.play().catch((error) => {
      ended();
      say(t("op_failed"), error.message);
    });
  });
  return [button];
}

/** The plane of moods with the song on it: pleasant to the right, lively above. */
function draw(place, { valence, arousal }, mood) {
  const made = (tag, attributes) => {
    const part = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) part.setAttribute(name, value);
    return part;
  };
  const plane = made("svg", { viewBox: "-1.1 -1.1 2.2 2.2", "aria-hidden": "true" });
  const thin = { "stroke-width": 0.04 };
  plane.append(
    made("rect", { x: -1, y: -1, width: 2, height: 2, ...thin }),
    made("line", { x1: -1, x2: 1, y1: 0, y2: 0, ...thin }),
    made("line", { x1: 0, x2: 0, y1: -1, y2: 1, ...thin }),
    made("circle", { cx: valence, cy: -arousal, r: 0.16, class: mood }),
  );
  const number = new Intl.NumberFormat(words.language, {
    maximumFractionDigits: 2,
    minimumFractionDigits: 2,
    signDisplay: "always",
  });
  place.replaceChildren(plane, element("span", { dir: "ltr" }, `${number.format(valence)} / ${number.format(arousal)}`));
}

async function correct(song, name, select, place) {
  try {
    await ask("operator/song-mood", { song_id: song.id, mood: select.value });
    say(t("op_songs_corrected", { song: name, mood: t(select.value) }));
    await showCorrected(song, select.value, place);
  } catch (error) {
    say(t("op_failed"), error.message);
  }
}

/** Draw the new place once the recommender has taken it up, which takes a second or two. */
async function showCorrected({ id }, wanted, place) {
  for (let tries = 0; tries < TRIES; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const now = await ask(`songs/mood?${new URLSearchParams({ id })}`).catch(() => ({})); // busy: asked again
    if (now.mood === wanted) return draw(place, now, now.mood);
  }
}

async function never(song, name, button) {
  if (!confirm(t("op_songs_sure", { song: name }))) return;
  try {
    await ask("operator/block", { song_id: song.id });
    button.disabled = true;
    say(t("op_songs_blocked", { song: name }));
  } catch (error) {
    say(t("op_failed"), error.message);
  }
}

async function begin() {
  await speak("op_songs");
  sound.addEventListener("ended", () => heard.ended?.());
  find("#search").addEventListener("submit", (event) => {
    event.preventDefault();
    search();
  });
  try {
    isOwner = (await ask("operator/status")).role === "owner";
    beginImport(isOwner);
  } catch (error) {
    say(t("op_failed"), error.message);
  }
}

begin();
