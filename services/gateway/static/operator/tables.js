// The tables of the overview: services, streams, consents, and the songs of the last hours.

import { clock, since } from "./cameras.js";
import { moodName } from "./chart.js";
import { element, find, t, titled, words } from "./parts.js";

export const SERVICES = ["camera", "emotion", "voice", "recommender", "player", "gateway", "bridge"];
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
const VOICES = { free: "op_voice_free", research: "op_voice_research" }; // by what MOODSTREAM_VOICE names
const SONGS_LISTED = 50;

const cell = (text, properties = {}) => element("td", properties, `${text}`);
const number = (count, more = "") => cell(words.number(count), { className: `number ${more}` });
const row = (name, ...cells) => element("tr", {}, element("th", { scope: "row" }, name), ...cells);
const inUnit = (value, unit) => new Intl.NumberFormat(words.language, { style: "unit", unit }).format(value);

export function showTables(status) {
  find("#services").replaceChildren(...SERVICES.map((name) => service(name, status.services[name])));
  find("#voice").textContent = t(VOICES[status.voice] ?? "op_voice_none");
  showRedis(status);
  find("#streams").replaceChildren(...status.streams.map(stream));
  find("#consents-head").replaceChildren(
    ...["op_report_day", ...CONSENTS.map((name) => `op_consent_${name}`)].map((key) => element("th", { scope: "col" }, t(key))),
  );
  find("#consents").replaceChildren(
    ...status.consents.map((day) => row(element("bdi", {}, day.day), ...CONSENTS.map((name) => number(day[name])))),
  );
}

function service(name, { state, workers, seen_s_ago: seen } = { state: "off", workers: 0, seen_s_ago: null }) {
  const how = cell(t(`op_setup_state_${state}`), { className: "state", dataset: { state } });
  const more = workers > 1 ? t("op_workers", { count: words.number(workers) }) : "";
  const away = seen === null || workers ? "" : t("op_seen", { ago: since(Math.round(seen)) });
  const what = element("span", { className: "note" }, t(`op_service_${name}`));
  return row(element("span", {}, element("bdi", {}, name), " ", what), how, cell(more || away, { className: "note" }));
}

function showRedis({ redis, listeners }) {
  const [ms, size] = redis.up ? [inUnit(redis.ping_ms, "millisecond"), inUnit(redis.memory_mb ?? 0, "megabyte")] : [];
  find("#redis").textContent = redis.up ? t("op_redis", { ms, size, count: words.number(listeners) }) : `${t("op_no_redis")}.`;
}

function stream({ stream: name, entries, dead_letters: dead, groups }) {
  const sum = (what) => groups.reduce((all, one) => (one[what] === null ? Number.NaN : all + one[what]), 0);
  const known = (what) => (Number.isNaN(sum(what)) ? cell("?", { className: "number" }) : number(sum(what)));
  return row(element("bdi", {}, name), number(entries), known("lag"), known("pending"), number(dead, dead ? "alarm" : ""));
}

export function showSongs(songs) {
  find("#songs").replaceChildren(
    ...songs
      .slice(0, SONGS_LISTED)
      .map((song) =>
        element(
          "tr",
          {},
          cell(clock(song.at), { className: "note" }),
          cell(titled(song), { dir: "auto" }),
          cell(song.mood ? moodName(song.mood) : "", { className: "note" }),
        ),
      ),
  );
}
