// Songs for the operator: find them, see their mood and place, correct a mood, block one for ever.

import { OPERATOR_MESSAGES, Words } from "../words.js";

const MOODS = ["angry", "happy", "sad", "calm"];
const SHOWN = 30;
const TRIES = 20;
const SVG = "http://www.w3.org/2000/svg";
const words = new Words(OPERATOR_MESSAGES);
const { t } = words;
const find = (selector) => document.querySelector(selector);
let isOwner = false;
let asked = 0;

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

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

/** What goes wrong is one line, as the server says it in English. */
function say(text, reason = "") {
  find("#said").replaceChildren(text, ...(reason ? [" ", element("span", { lang: "en", dir: "ltr" }, reason)] : []));
}

async function search() {
  const number = (asked += 1);
  try {
    const { found } = await ask(`songs/search?${new URLSearchParams({ text: find("#text").value, n: SHOWN })}`);
    if (number !== asked) return; // another search has begun meanwhile
    find("table").hidden = !found.length;
    find("#found").replaceChildren(...found.map(row));
    say(found.length ? t("op_songs_count", { count: words.number(found.length) }) : t("op_songs_none"));
  } catch (error) {
    say(t("op_songs_failed"), error.message);
  }
}

function row({ song, mood }) {
  const name = `${song.title}, ${song.artist}`;
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
    element("th", { scope: "row", dir: "auto" }, name),
    element("td", {}, place),
    element("td", {}, select),
    element("td", {}, block),
  );
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
  if (!(await words.speak(Words.preferred()))) await words.speak("en");
  for (const one of document.querySelectorAll("[data-text]")) one.textContent = t(one.dataset.text);
  for (const one of document.querySelectorAll("[data-label]")) one.setAttribute("aria-label", t(one.dataset.label));
  document.title = `Moodstream: ${t("op_songs")}`;
  find("#search").addEventListener("submit", (event) => {
    event.preventDefault();
    search();
  });
  try {
    isOwner = (await ask("operator/status")).role === "owner";
  } catch (error) {
    say(t("op_failed"), error.message);
  }
}

begin();
