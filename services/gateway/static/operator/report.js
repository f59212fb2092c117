// The report of a day or a week, in the language of the browser.

import { ask, element, find, say, speak, t, titled, words } from "./parts.js";

const MOODS = ["calm", "happy", "sad", "angry", "unsure"];
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
const DAY_MS = 86_400_000;
const STEP = { day: 1, week: 7 };
let period = "day";
let shown = null; // the report on the page

const number = (count) => element("td", { className: "number" }, count ? words.number(count) : "·");
const heading = (text) => element("th", { scope: "col" }, text);
const minutes = (seconds = 0) => Math.round(seconds / 6) / 10;
/** Days of the site, whatever the time zone of the browser: as midnight of UTC, and shown as such. */
const dayOf = (iso) => new Date(`${iso}T00:00:00Z`);
const dated = (iso, shape) => new Intl.DateTimeFormat(words.language, { ...shape, timeZone: "UTC" }).format(dayOf(iso));
const moodName = (mood) => (mood === "unsure" ? t("op_mood_unsure") : t(mood));

async function look(day = null) {
  const query = new URLSearchParams({ period, ...(day ? { day } : {}) });
  try {
    shown = await ask(`report?${query}`);
    find("#said").textContent = "";
  } catch (error) {
    say(find("#said"), t("op_report_failed"), error.message);
    return;
  }
  show();
}

function show() {
  const { first, last, hours, days, played, law } = shown;
  find("#law").hidden = !law;
  if (law) find("#law").textContent = t(`op_report_law_${law}`);
  find("#csv").href = `../api/v1/operator/report.csv?${new URLSearchParams({ period, day: first })}`;
  for (const one of document.querySelectorAll("[data-period]")) one.setAttribute("aria-pressed", one.dataset.period === period);
  const whole = { weekday: "long", day: "numeric", month: "long", year: "numeric" };
  const short = { day: "numeric", month: "long", year: "numeric" };
  find("#h-span").textContent =
    first === last
      ? dated(first, whole)
      : new Intl.DateTimeFormat(words.language, { ...short, timeZone: "UTC" }).formatRange(dayOf(first), dayOf(last));
  const today = new Date().toISOString().slice(0, 10);
  find("#after").disabled = last >= today;
  showTotals();
  const moods = MOODS.filter((mood) => mood in shown.moods_s);
  find("#hours-head").replaceChildren(
    heading(t("op_report_hour")),
    heading(t("op_report_visits")),
    ...moods.map((mood) => heading(moodName(mood))),
    element("td"),
  );
  const most = Math.max(1, ...hours.map((one) => sum(one.moods_s)));
  find("#hours").replaceChildren(
    ...eventful(hours).map((one) =>
      element(
        "tr",
        {},
        element("th", { scope: "row" }, `${String(one.hour).padStart(2, "0")}:00`),
        number(one.visits),
        ...moods.map((mood) => number(minutes(one.moods_s[mood]))),
        element("td", {}, bar(one.moods_s, most)),
      ),
    ),
  );
  find("#songs").replaceChildren(
    ...played.map(({ title, artist, times }) =>
      element("tr", {}, element("th", { scope: "row", dir: "auto" }, titled({ title, artist })), number(times)),
    ),
  );
  if (!played.length) find("#songs").append(element("tr", {}, element("td", {}, t("op_report_nothing"))));
  find("#days-head").replaceChildren(
    heading(t("op_report_day")),
    heading(t("op_report_visits")),
    ...CONSENTS.map((name) => heading(t(`op_consent_${name}`))),
  );
  find("#days").replaceChildren(
    ...days.map((one) =>
      element(
        "tr",
        {},
        element("th", { scope: "row" }, dated(one.day, { weekday: "short", day: "numeric", month: "short" })),
        number(one.visits),
        ...CONSENTS.map((name) => number(one[name])),
      ),
    ),
  );
}

/** From the first hour in which something happened to the last. */
function eventful(hours) {
  const full = hours.filter((one) => one.visits || sum(one.moods_s));
  return full.length ? hours.slice(full[0].hour, full.at(-1).hour + 1) : [];
}

const sum = (seconds) => MOODS.reduce((all, mood) => all + (seconds[mood] ?? 0), 0);

function bar(seconds, most) {
  return element(
    "div",
    { className: "bar", ariaHidden: "true" },
    ...MOODS.filter((mood) => seconds[mood]).map((mood) => {
      const part = element("i", { className: mood });
      part.style.width = `${(100 * seconds[mood]) / most}%`;
      return part;
    }),
  );
}

function showTotals() {
  const { visits, songs, picks, likes, skips, wrong_moods: wrong, seen_s: seen } = shown;
  const length = visits ? words.seconds(Math.round(seen / visits)) : "–";
  const facts = { visits, length, picks, played: songs, likes, skips, wrong };
  find("#totals").replaceChildren(
    ...Object.entries(facts).map(([name, value]) =>
      element(
        "div",
        {},
        element("dt", {}, t(`op_report_${name}`)),
        element("dd", {}, typeof value === "number" ? words.number(value) : value),
      ),
    ),
  );
}

function move(step) {
  look(new Date(dayOf(shown.first).getTime() + step * STEP[period] * DAY_MS).toISOString().slice(0, 10));
}

async function begin() {
  await speak("op_report");
  for (const one of document.querySelectorAll("[data-period]")) {
    one.addEventListener("click", () => {
      period = one.dataset.period;
      look(shown?.last);
    });
  }
  find("#before").addEventListener("click", () => move(-1));
  find("#after").addEventListener("click", () => move(1));
  await look();
}

begin();
