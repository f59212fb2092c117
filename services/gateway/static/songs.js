// The five songs to pick from, and the ranking that follows a pick.

import { element, sleeve } from "./drawing.js";

const SHOWN = 6;

export class Songs {
  #t;
  #pick;
  #shown = "";
  #find = (selector) => document.querySelector(selector);

  /** `pick(offer, song)` is called when somebody chooses a card. */
  constructor(t, pick) {
    this.#t = t;
    this.#pick = pick;
  }

  show(view) {
    // Moods come several times a minute: what has not changed keeps its elements, and with them the focus.
    const shown = `${view.songs} ${view.offer?.id} ${view.ranking?.id} ${view.picked?.id}`;
    if (shown === this.#shown) return;
    this.#shown = shown;
    const inside = this.#find("#songs").contains(document.activeElement);
    document.body.dataset.songs = view.songs;
    this.#heading(view);
    this.#find("#cards").replaceChildren(...this.#cards(view));
    this.#find("#ranking").replaceChildren(...this.#rows(view));
    if (inside) this.#find("#songs-title").focus();
  }

  #heading({ songs, offer, picked }) {
    const t = this.#t;
    const words = {
      none: [t("songs_none"), t("songs_none_detail")],
      offer: [t("offer"), t("offer_detail", { mood: offer ? t(offer.mood) : "" })],
      expired: [t("offer_expired"), t("offer_expired_detail")],
      picked: [t("picked", { title: picked?.title }), t("picked_detail")],
      ranking: [t("ranking", { title: picked?.title }), t("ranking_detail")],
    }[songs];
    this.#find("#songs-title").textContent = words[0];
    this.#find("#songs-detail").textContent = words[1];
    this.#find("#again").hidden = !["expired", "ranking"].includes(songs);
  }

  #cards({ songs, offer, picked }) {
    if (songs === "none") return Array.from({ length: 5 }, () => element("li", { className: "empty", ariaHidden: "true" }));
    if (songs === "ranking" || songs === "expired") return [];
    return offer.songs.map((song) => {
      const button = element("button", { type: "button", className: "card", dataset: { song: song.id } },
        sleeve(song, offer.mood),
        element("span", { className: "title", textContent: song.title }),
        element("span", { className: "artist", textContent: song.artist }),
        ...(song.genre ? [element("span", { className: "genre", textContent: song.genre })] : []));
      button.disabled = picked !== null;
      button.classList.toggle("picked", song.id === picked?.id);
      button.addEventListener("click", () => this.#pick(offer, song));
      return element("li", {}, button);
    });
  }

  #rows({ ranking }) {
    return (ranking?.ranking ?? []).slice(0, SHOWN).map(({ song, similarity, reason }) => {
      const share = Math.round(similarity * 100);
      const bar = element("div", { className: "bar" }, element("i"));
      bar.style.setProperty("--share", similarity);
      const number = element("span", { className: "share", textContent: `${share} %` });
      number.setAttribute("aria-label", this.#t("likeness", { percent: share }));
      return element("li", {},
        sleeve(song, ranking.mood),
        element("div", {},
          element("p", { className: "title", textContent: song.title }),
          element("p", { className: "artist", textContent: song.artist }),
          bar,
          element("p", { className: "reason", textContent: reason })),
        number);
    });
  }
}
