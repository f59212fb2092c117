// The view for mounting a camera: what it sees, drawn by the emotion service, for two minutes at most.

const LOOK_MS = 300;
const PLACES = { good: "a good distance", "too near": "too near", "too far": "too far" };
const find = (selector) => document.querySelector(selector);

export class View {
  #ask;
  #element;
  #run = 0; // of the newest view; what an older one still has under way counts for nothing
  #canvas = null;
  #root;

  /** `ask` speaks to the API, `element` makes elements, `root` leads from the page to the site. */
  constructor(ask, element, root = "") {
    this.#root = root;
    this.#ask = ask;
    this.#element = element;
    find("#view-stop").addEventListener("click", () => this.stop());
    addEventListener("pagehide", () => this.#canvas && this.stop());
  }

  async start(camera) {
    const run = ++this.#run;
    find("#view").hidden = false;
    find("#view-state").textContent = `Asking for ${camera} …`;
    try {
      await this.#ask("operator/view", { camera_id: camera });
    } catch (error) {
      if (run === this.#run) this.#close(`That did not work: ${error.message}`);
      return;
    }
    this.#canvas ??= this.#element("canvas");
    this.#canvas.setAttribute("role", "img");
    this.#canvas.setAttribute("aria-label", `What ${camera} sees, with a box around each face`);
    find("#view-picture").replaceChildren(this.#canvas);
    find("#view-stop").focus();
    this.#look(run, camera);
  }

  /** Ends it at the server, too: nothing more is drawn for anybody. */
  async stop() {
    this.#run += 1;
    this.#close("Ending …");
    try {
      const answer = await fetch(`${this.#root}api/v1/operator/view`, { method: "DELETE", keepalive: true });
      find("#view-state").textContent = answer.ok ? "Ended." : "It ends by itself within seconds.";
    } catch {
      find("#view-state").textContent = "It ends by itself within seconds: the line is down.";
    }
  }

  /** Again and again until it is over, each time after the last answer. */
  async #look(run, camera) {
    while (run === this.#run) {
      let answer;
      try {
        answer = await this.#ask("operator/view");
      } catch (error) {
        find("#view-state").textContent = `No answer: ${error.message}. Trying again …`;
      }
      if (run !== this.#run) return;
      if (answer && !answer.view) return this.#close("The view has ended.");
      if (answer) await this.#show(answer, camera);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  async #show({ view, picture }, camera) {
    const leftS = Math.max(0, Math.round((Date.parse(view.until) - Date.now()) / 1000));
    const kind = { outline: "an outline without detail", picture: "the picture" }[view.preview] ?? "";
    find("#view-state").textContent = `${camera}, ${kind}: ${leftS} s left.${picture ? "" : " No picture comes."}`;
    if (!picture) return;
    const bytes = Uint8Array.from(atob(picture.png), (letter) => letter.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    if (!this.#canvas) return image.close();
    [this.#canvas.width, this.#canvas.height] = [image.width, image.height];
    this.#canvas.getContext("2d").drawImage(image, 0, 0);
    image.close();
    this.#figures(picture.figures);
  }

  #figures({ size, light, contrast, sharpness, best_px: px, best_m: m, faces }) {
    const facts = [
      ["Picture", `${size[0]} × ${size[1]} pixels`],
      ["Light", `${light} of 255`],
      ["Contrast", contrast],
      ["Sharpness", `${sharpness}${sharpness < 30 ? " (out of focus?)" : ""}`],
      ["Best distance", `about ${m[0]} to ${m[1]} m: faces of ${px[0]} to ${px[1]} pixels`],
    ];
    find("#view-figures").replaceChildren(
      ...facts.flatMap(([what, value]) => [this.#element("dt", {}, what), this.#element("dd", {}, `${value}`)]),
    );
    find("#view-faces").replaceChildren(...(faces.length ? faces.map((face) => this.#face(face)) : [this.#row("no face", "")]));
  }

  #face({ side_px: side, distance_m: distance, place, refused, gates }) {
    const limit = ({ least, most }) =>
      [least === null ? "" : `at least ${least}`, most === null ? "" : `at most ${most}`].filter(Boolean).join(", ");
    const failed = gates.filter((gate) => !gate.ok).map((gate) => `${gate.what} ${gate.value} (${limit(gate)})`);
    const passed = gates.filter((gate) => gate.ok).map((gate) => `${gate.what} ${gate.value}`);
    const why = refused ? `Not read: ${refused}. ${failed.join("; ")}` : "Read.";
    const row = this.#row(`${side} px`, `about ${distance} m, ${PLACES[place]}. ${why}`);
    row.lastChild.append(this.#element("div", { className: "note" }, passed.join(", ")));
    if (refused) row.lastChild.classList.add("refused");
    return row;
  }

  #row(name, text) {
    return this.#element("tr", {}, this.#element("th", { scope: "row" }, name), this.#element("td", {}, text));
  }

  /** Takes the picture off the page; the words stay. */
  #close(words) {
    this.#run += 1;
    this.#canvas = null;
    for (const place of ["#view-picture", "#view-figures", "#view-faces"]) find(place).replaceChildren();
    find("#view-state").textContent = words;
  }
}
