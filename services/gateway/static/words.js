// Every word that a page says: a file of messages per language, and numbers and lists as that language writes them.

export const LANGUAGES = { en: "English", de: "Deutsch", fr: "Français", es: "Español", ja: "日本語", ar: "العربية" };
const RIGHT_TO_LEFT = ["ar"];
const FORMS = { alike: "reason_same", nearest: "reason_nearest" }; // of a sentence, by the degree of what is near

export class Words {
  language = null;
  #messages = {};
  #asked = null;
  #spoken;
  #folders;

  /** Folders of message files, as the page sees them: those of the visitors' page, unless it needs more. */
  constructor(folders = ["static/messages"]) {
    this.#folders = folders;
  }

  /** The language of the address, else the browser's, else English. */
  static preferred() {
    const wanted = [new URLSearchParams(location.search).get("lang"), ...navigator.languages];
    return wanted.map((tag) => tag?.slice(0, 2).toLowerCase()).find((tag) => tag in LANGUAGES) ?? "en";
  }

  /** Speak a language from now on; false where its words cannot be had, or another was asked for in between. */
  speak(language) {
    if (language !== this.#asked) [this.#asked, this.#spoken] = [language, this.#load(language)];
    return this.#spoken;
  }

  async #load(language) {
    if (language === this.language) return true;
    const answers = this.#folders.map(async (folder) => {
      const answer = await fetch(`${folder}/${language}.json`);
      return answer.ok ? answer.json() : null;
    });
    const messages = await Promise.all(answers).catch(() => [null]);
    if (this.#asked !== language) return false;
    if (messages.includes(null)) {
      this.#asked = null; // to be tried again; the words of before stay
      return false;
    }
    this.#messages = Object.assign({}, ...messages);
    this.language = language;
    Object.assign(document.documentElement, { lang: language, dir: RIGHT_TO_LEFT.includes(language) ? "rtl" : "ltr" });
    return true;
  }

  /** The text of a key; a missing key is a mistake of the programmer. */
  t = (key, values = {}) => {
    const text = this.#messages[key];
    if (text === undefined) throw new Error(`no message ${key}`);
    return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
  };

  has = (key) => key in this.#messages;

  percent(share) {
    return new Intl.NumberFormat(this.language, { style: "percent", maximumFractionDigits: 0 }).format(share);
  }

  seconds(count) {
    return new Intl.NumberFormat(this.language, { style: "unit", unit: "second", unitDisplay: "short" }).format(count);
  }

  number(count) {
    return new Intl.NumberFormat(this.language).format(count);
  }

  /** Day and time, as the clock where this page hangs has it. */
  time(iso) {
    const shown = { weekday: "long", hour: "numeric", minute: "2-digit" };
    return new Intl.DateTimeFormat(this.language, shown).format(new Date(iso));
  }

  /** The earlier song that speaks most for one, as a sentence; null where that is the one just picked, or there is none. */
  because(because = [], picked = null) {
    const [most = null] = because.filter(({ weight }) => weight > 0);
    const key = `because_${most?.kind}`;
    if (most === null || most.song.id === picked?.id || !(key in this.#messages)) return null;
    return this.t(key, { title: most.song.title });
  }

  /** What the recommender has compared, as a sentence; null where it says nothing, or what there are no words for. */
  reason(compared = []) {
    const near = compared.filter(({ direction }) => !direction);
    const [far = null, ...more] = compared.filter(({ direction }) => direction);
    const names = near.map(({ trait }) => `trait_${trait}`);
    const change = far ? [`degree_${far.degree}`, `${far.direction}_${far.trait}`] : [];
    const known = [...names, ...change].every((key) => key in this.#messages) && near.every(({ degree }) => degree in FORMS);
    if (!known || !near.length || more.length) return null;
    const traits = new Intl.ListFormat(this.language, { type: "conjunction" }).format(names.map((name) => this.t(name)));
    if (!far) return this.t("reason_alike", { traits });
    return this.t(FORMS[near[0].degree], { traits, change: this.t(change[0], { change: this.t(change[1]) }) });
  }
}
