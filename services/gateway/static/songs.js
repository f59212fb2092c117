// The five songs to pick from, and the ranking that follows a pick.

import { element, sleeve } from "./drawing.js";

const SHOWN = 6;
const WITH_SONGS = ["mirror", "listen"];

export class Songs {
  #words;
  #pick;
  #shown = "";
  #find = (selector) => document.querySelector(selector);

  /** `pick(offer, song)` is called when somebody chooses a card. */
  constructor(words, pick) {
    this.#words = words;
    this.#pick = pick;
  }

  show(view) {
    const songs = WITH_SONGS.includes(view.stage) ? view.songs : "hidden";
    // Moods come several times a minute: what has not changed keeps its elements, and with them the focus.
    const shown = `${this.#words.language} ${songs} ${view.offer?.songs.map((song) => song.id)} ${view.ranking?.id} ${view.picked?.id}`;
    if (shown === this.#shown) return;
    this.#shown = shown;
    const inside = this.#find("#songs").contains(document.activeElement);
    document.body.dataset.songs = songs;
    this.#find("#songs").hidden = songs === "hidden";
    if (songs !== "hidden") this.#heading(view);
    this.#find("#cards").replaceChildren(...this.#cards({ ...view, songs }));
    this.#find("#ranking").replaceChildren(...(songs === "ranking" ? this.#rows(view) : []));
    if (inside && songs !== "hidden") this.#find("#songs-title").focus();
  }

  #heading({ songs, offer, picked, ranking, auto }) {
    const { t } = this.#words;
    const title = picked?.title;
    const chose = auto || ranking?.by === "auto" ? "picked_auto" : "picked";
    const words = {
      none: [t("songs_none"), ""],
      offer: [t("offer"), t("offer_detail", { mood: offer ? t(offer.mood) : "" })],
      expired: [t("offer_expired"), t("offer_expired_detail")],
      picked: [t(chose, { title }), t("picked_detail")],
      ranking: [t("ranking", { title }), t("ranking_detail")],
    }[songs];
    this.#find("#songs-title").textContent = words[0];
    this.#find("#songs-detail").textContent = words[1];
    this.#find("#again").hidden = !["expired", "ranking"].includes(songs);
  }

  #cards({ songs, offer, picked }) {
    if (songs === "none") return Array.from({ length: 5 }, () => element("li", { className: "empty", ariaHidden: "true" }));
    if (!["offer", "picked"].includes(songs)) return [];
    return offer.songs.map((song) => {
      const button = element("button", { type: "button", className: "card", dataset: { song: song.id } },
        sleeve(song, offer.mood),
        element("span", { className: "title", textContent: song.title, dir: "auto" }),
        element("span", { className: "artist", textContent: song.artist, dir: "auto" }),
        ...(song.genre ? [element("span", { className: "genre", textContent: song.genre, dir: "auto" })] : []));
      button.disabled = picked !== null;
      button.classList.toggle("picked", song.id === picked?.id);
      button.addEventListener("click", () => this.#pick(offer, song));
      return element("li", {}, button);
    });
  }

  #rows({ ranking }) {
    const { t } = this.#words;
    return ranking.ranking.slice(0, SHOWN).map(({ song, similarity, reason, compared }) => {
      const share = this.#words.percent(similarity);
      const bar = element("div", { className: "bar" }, element("i"));
      bar.style.setProperty("--share", similarity);
      const said = this.#words.reason(compared);
      const why = element("p", { className: "reason", textContent: said ?? reason });
      if (said === null) why.lang = "en";
      return element("li", {},
        sleeve(song, ranking.mood),
        element("div", {},
          element("p", { className: "title", textContent: song.title, dir: "auto" }),
          element("span", { className: "between", textContent: " · ", ariaHidden: "true" }),
          element("p", { className: "artist", textContent: song.artist, dir: "auto" }),
          bar, why),
        element("p", { className: "share" },
          element("span", { textContent: share, ariaHidden: "true" }),
          element("span", { className: "unseen", textContent: t("likeness", { percent: share }) })));
    });
  }
}
