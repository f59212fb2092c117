// What the site has learned from all visits: listed, exported by the link beside it, and forgotten here.

const LISTED = 100;
const COUNTS = ["taken", "heard", "refused", "wrong"];
const find = (selector) => document.querySelector(selector);

export class Learned {
  #ask;
  #element;

  constructor(ask, element) {
    this.#ask = ask;
    this.#element = element;
    find("#forget").addEventListener("click", () => {
      if (confirm("Forget all that this site has learned?")) this.#forget("");
    });
  }

  async look() {
    let learned;
    try {
      learned = await this.#ask("operator/learned");
    } catch {
      return; // the status says that the recommender is away
    }
    find("#learned-section").hidden = !learned.learns && !learned.songs.length;
    find("#learned").replaceChildren(...learned.songs.slice(0, LISTED).map((one) => this.#row(one)));
    const rest = learned.songs.length - LISTED;
    find("#learned-note").textContent = learned.songs.length
      ? `Visits of late; they fade by half in 30 days. Nothing in it is about a person.${rest > 0 ? ` ${rest} more in the export.` : ""}`
      : "Nothing yet: picks, likes, skips and “wrong mood” of visitors will stand here.";
  }

  #row({ id, mood, song, kept_out, ...counts }) {
    const element = this.#element;
    const button = element("button", { type: "button", className: "owners", textContent: "Forget" });
    button.addEventListener("click", () => this.#forget(`?id=${encodeURIComponent(id)}`));
    return element(
      "tr",
      {},
      element("th", { scope: "row" }, song ? `${song.title}, ${song.artist}` : `${id} (not in the catalogue)`),
      element("td", {}, kept_out ? `not ${mood}` : mood),
      ...COUNTS.map((name) => element("td", { className: "number" }, `${Math.round(counts[name] * 10) / 10}`)),
      element("td", {}, button),
    );
  }

  async #forget(which) {
    try {
      const { forgotten } = await this.#ask(`operator/learned${which}`, undefined, "DELETE");
      find("#said").textContent = forgotten === 1 ? "One song forgotten." : `${forgotten} songs forgotten.`;
    } catch (error) {
      find("#said").textContent = `That did not work: ${error.message}`;
    }
    await this.look();
  }
}
