// The five songs to pick from, and the ranking that follows a pick.

import { element, sleeve } from "./drawing.js";

const SHOWN = 6;
const WITH_SONGS = ["mirror", "listen"];
const LEAST = 0.12; // of a bar, for the song that is least alike

export class Songs {
  #words;
  #handlers;
  #shown = "";
  #playing = undefined;
  #last = -1; // place in the queue of the song that played last from it
  #find = (selector) => document.querySelector(selector);

  /** `pick(offer, song)` is called when somebody chooses a card, `play(song)` when a ranked row. */
  constructor(words, handlers) {
    this.#words = words;
    this.#handlers = handlers;
  }

  show(view) {
    const songs = WITH_SONGS.includes(view.stage) ? view.songs : "hidden";
    // Moods come several times a minute: what has not changed keeps its elements, and with them the focus.
    const shown = `${this.#words.language} ${songs} ${view.offer?.songs.map((song) => song.id)} ${view.ranking?.id} ${view.picked?.id}`;
    if (shown !== this.#shown) this.#draw(view, songs, shown);
    if (songs === "ranking") this.#mark(view);
  }

  #draw(view, songs, shown) {
    this.#shown = shown;
    [this.#playing, this.#last] = [undefined, -1];
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
    const chose = auto || ranking?.by === "auto";
    const words = {
      none: [t("songs_none"), ""],
      offer: [t("offer"), t("offer_detail", { mood: offer ? t(offer.mood) : "" })],
      expired: [t("offer_expired"), t("offer_expired_detail")],
      picked: [t(chose ? "picked_auto" : "picked", { title }), t("picked_detail")],
      ranking: [t(chose ? "picked_auto" : "ranking", { title }), t("ranking_detail")],
    }[songs];
    this.#find("#songs-title").textContent = words[0];
    this.#find("#songs-detail").textContent = words[1];
    this.#find("#again").hidden = !["expired", "ranking"].includes(songs);
  }

  #cards({ songs, offer, picked }) {
    if (songs === "none") return Array.from({ length: 5 }, () => element("li", { className: "empty", ariaHidden: "true" }));
    if (!["offer", "picked"].includes(songs)) return [];
    return offer.songs.map((song) => {
      const button = element(
        "button",
        { type: "button", className: "card", dataset: { song: song.id } },
        sleeve(song, offer.mood),
        element("span", { className: "title", textContent: song.title, dir: "auto" }),
        element("span", { className: "artist", textContent: song.artist, dir: "auto" }),
        ...(song.genre ? [element("span", { className: "genre", textContent: song.genre, dir: "auto" })] : []),
      );
      button.disabled = picked !== null;
      button.classList.toggle("picked", song.id === picked?.id);
      button.addEventListener("click", () => this.#handlers.pick(offer, song));
      return element("li", {}, button);
    });
  }

  #rows({ ranking }) {
    const { t } = this.#words;
    const rows = ranking.ranking.slice(0, SHOWN);
    const likenesses = rows.map((row) => row.similarity);
    const [least, most] = [Math.min(...likenesses), Math.max(...likenesses)];
    return rows.map(({ song, similarity, reason, compared, because }) => {
      const share = this.#words.percent(similarity);
      const bar = element("span", { className: "bar" }, element("i"));
      // likenesses lie close together: the bars show how the songs differ from each other, the number how alike they are
      bar.style.setProperty("--share", most > least ? LEAST + ((1 - LEAST) * (similarity - least)) / (most - least) : 1);
      const said = this.#words.because(because, ranking.picked) ?? this.#words.reason(compared);
      const why = element("span", { className: "reason", textContent: said ?? reason });
      if (said === null) why.lang = "en";
      const row = element(
        "button",
        { type: "button", className: "row", dataset: { song: song.id } },
        sleeve(song, ranking.mood),
        element(
          "span",
          { className: "names" },
          element("span", { className: "title", textContent: song.title, dir: "auto" }),
          element("span", { className: "between", textContent: song.artist && " · " }),
          element("span", { className: "artist", textContent: song.artist, dir: "auto" }),
        ),
        bar,
        why,
        element("span", { className: "turn" }),
        element(
          "span",
          { className: "share" },
          element("span", { textContent: share, ariaHidden: "true" }),
          element("span", { className: "unseen", textContent: t("likeness", { percent: share }) }),
        ),
      );
      row.addEventListener("click", () => song.id !== this.#playing && this.#handlers.play(song));
      return element("li", {}, row);
    });
  }

  /** Which row plays, and which is next in the queue. */
  #mark({ ranking, playback }) {
    const playing = ["playing", "paused"].includes(playback?.state) ? (playback.song?.id ?? null) : null;
    if (playing === this.#playing) return;
    this.#playing = playing;
    const queue = ranking.play.map((song) => song.id);
    if (queue.includes(playing)) this.#last = queue.indexOf(playing);
    const next = playing === null ? null : (queue.slice(this.#last + 1).find((id) => id !== playing) ?? null);
    for (const row of this.#find("#ranking").querySelectorAll(".row")) {
      const { song } = row.dataset;
      if (song === playing) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
      row.querySelector(".turn").textContent =
        song === playing ? this.#words.t("playing_row") : song === next ? this.#words.t("next_row") : "";
    }
  }
}
