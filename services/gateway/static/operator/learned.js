// What the site has learned from all visits: listed, exported by the link beside it, and forgotten here.

import { ask, element, find, say, t, titled, words } from "./parts.js";

const LISTED = 100;
const COUNTS = ["taken", "heard", "refused", "wrong"];

export class Learned {
  constructor() {
    find("#forget").addEventListener("click", () => {
      if (confirm(t("op_learned_sure"))) this.#forget("");
    });
  }

  async look() {
    let learned;
    try {
      learned = await ask("learned");
    } catch {
      return; // the status says that the recommender is away
    }
    find("#learned-section").hidden = !learned.learns && !learned.songs.length;
    find("#learned").replaceChildren(...learned.songs.slice(0, LISTED).map((one) => this.#row(one)));
    const rest = learned.songs.length - LISTED;
    const more = rest > 0 ? ` ${t("op_learned_more", { count: words.number(rest) })}` : "";
    find("#learned-note").textContent = learned.songs.length ? t("op_learned_note") + more : t("op_learned_none");
  }

  #row({ id, mood, song, kept_out, ...counts }) {
    const button = element("button", { type: "button", className: "owners", textContent: t("op_learned_forget") });
    button.addEventListener("click", () => this.#forget(`?id=${encodeURIComponent(id)}`));
    const title = song ? titled(song) : t("op_learned_unknown", { id });
    return element(
      "tr",
      {},
      element("th", { scope: "row", dir: "auto" }, title),
      element("td", {}, kept_out ? t("op_learned_not", { mood: t(mood) }) : t(mood)),
      ...COUNTS.map((name) => element("td", { className: "number" }, words.number(Math.round(counts[name] * 10) / 10))),
      element("td", {}, button),
    );
  }

  async #forget(which) {
    try {
      const { forgotten } = await ask(`learned${which}`, "DELETE");
      say(find("#said"), t("op_learned_forgotten", { count: words.number(forgotten) }));
    } catch (error) {
      say(find("#said"), t("op_not_done"), error.message);
    }
    await this.look();
  }
}
