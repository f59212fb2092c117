// Moods over time as stacked bars, songs as dots above them: an SVG of our own, so that nothing comes from elsewhere.

import { t, titled, words } from "./parts.js";

const SVG = "http://www.w3.org/2000/svg";
const STACK = ["calm", "sad", "happy", "angry", "unsure"];
const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP] = [1200, 250, 68, 24, 26];

function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** The chart of what /operator/history gives. */
export function chart(history) {
  const { buckets, width_s: width, songs } = history;
  const begin = Date.parse(history.from) / 1000;
  const total = (bucket) => STACK.reduce((sum, mood) => sum + (bucket.seconds[mood] ?? 0), 0);
  const most = scale(Math.max(...buckets.map(total)) / 60);
  const x = (seconds) => LEFT + ((WIDTH - LEFT) * (seconds - begin)) / (width * buckets.length);
  const y = (minutes) => HEIGHT - BOTTOM - ((HEIGHT - BOTTOM - TOP) * minutes) / most;
  const made = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": inWords(buckets, songs) });
  for (const minutes of [0, most / 2, most]) {
    made.append(svg("path", { class: "axis", d: `M${LEFT} ${y(minutes)}H${WIDTH}` }));
    made.append(svg("text", { x: LEFT - 8, y: y(minutes) + 4, "text-anchor": "end" }, amount(minutes, "minute")));
  }
  const step = Math.max(1, Math.round(buckets.length / 8));
  buckets.forEach((bucket, place) => {
    const at = begin + place * width;
    if (place % step === 0 && x(at) < WIDTH - 48)
      made.append(svg("text", { x: x(at), y: HEIGHT - 6 }, when(at, width * buckets.length)));
    let minutes = 0;
    for (const mood of STACK) {
      const more = (bucket.seconds[mood] ?? 0) / 60;
      if (more <= 0) continue;
      const bar = {
        class: mood,
        x: x(at) + 0.5,
        width: Math.max(1, x(at + width) - x(at) - 1),
        y: y(minutes + more),
        height: y(minutes) - y(minutes + more),
      };
      made.append(
        svg("rect", bar, svg("title", {}, `${when(at, 0)}: ${moodName(mood)} ${words.seconds(Math.round(more * 60))}`)),
      );
      minutes += more;
    }
  });
  for (const song of songs) {
    const dot = svg("circle", { class: "song", cx: x(Date.parse(song.at) / 1000), cy: TOP - 14, r: 3 });
    dot.append(svg("title", {}, `${when(Date.parse(song.at) / 1000, 0)}: ${titled(song)}`));
    made.append(dot);
  }
  return made;
}

/** A round number of minutes at or above what is to be shown. */
function scale(minutes) {
  return [0.5, 1, 2, 4, 10, 20, 40, 60, 120].find((round) => round >= minutes) ?? Math.ceil(minutes / 60) * 60;
}

/** Of time, with its unit in the language of the page. */
export function amount(value, unit) {
  const digits = { maximumFractionDigits: value < 1 ? 2 : 1 };
  return new Intl.NumberFormat(words.language, { style: "unit", unit, unitDisplay: "short", ...digits }).format(value);
}

export const moodName = (mood) => (mood === "unsure" ? t("op_mood_unsure") : t(mood));

function when(seconds, span) {
  const long = span > 36 * 3600;
  const parts = long ? { weekday: "short", day: "numeric" } : { hour: "2-digit", minute: "2-digit" };
  return new Date(seconds * 1000).toLocaleString(words.language === "en" ? "en-GB" : words.language, parts);
}

function inWords(buckets, songs) {
  const minutes = STACK.map((mood) => [mood, buckets.reduce((sum, one) => sum + (one.seconds[mood] ?? 0), 0) / 60]);
  const moods = minutes.map(([mood, sum]) => `${moodName(mood)} ${words.number(Math.round(sum))}`).join(", ");
  return t("op_chart_says", { moods, count: words.number(songs.length) });
}
