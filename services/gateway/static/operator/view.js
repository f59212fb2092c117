// The view for mounting a camera: what it sees, drawn by the emotion service, for two minutes at most.

import { api, element, find, ROOT, say, t, words } from "./parts.js";

const LOOK_MS = 300;
const MIN_SHARPNESS = 30;
const PLACES = { good: "op_view_good", "too near": "op_view_near", "too far": "op_view_far" };

const list = (texts) => new Intl.ListFormat(words.language, { type: "unit" }).format(texts);
const number = (value) => words.number(value);

export class View {
  #run = 0; // of the newest view; what an older one still has under way counts for nothing
  #canvas = null;

  constructor() {
    find("#view-stop").addEventListener("click", () => this.stop());
    addEventListener("pagehide", () => this.#canvas && this.stop());
  }

  async start(camera) {
    const run = ++this.#run;
    find("#view").hidden = false;
    say(find("#view-state"), t("op_view_asking", { camera }));
    try {
      await api("operator/view", "POST", { camera_id: camera });
    } catch (error) {
      if (run === this.#run) this.#close(t("op_not_done"), error.message);
      return;
    }
    this.#canvas ??= element("canvas");
    this.#canvas.setAttribute("role", "img");
    this.#canvas.setAttribute("aria-label", t("op_view_alt", { camera }));
    find("#view-picture").replaceChildren(this.#canvas);
    find("#view-stop").focus();
    this.#look(run, camera);
  }

  /** Ends it at the server, too: nothing more is drawn for anybody. */
  async stop() {
    this.#run += 1;
    this.#close(t("op_view_ending"));
    const answer = await fetch(`${ROOT}api/v1/operator/view`, { method: "DELETE", keepalive: true }).catch(() => null);
    say(find("#view-state"), t(answer?.ok ? "op_view_ended" : "op_view_soon"));
  }

  /** Again and again until it is over, each time after the last answer. */
  async #look(run, camera) {
    while (run === this.#run) {
      let answer;
      try {
        answer = await api("operator/view");
      } catch (error) {
        say(find("#view-state"), t("op_lost"), error.message);
      }
      if (run !== this.#run) return;
      if (answer && !answer.view) return this.#close(t("op_view_ended"));
      if (answer) await this.#show(answer, camera);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  async #show({ view, picture }, camera) {
    const time = words.seconds(Math.max(0, Math.round((Date.parse(view.until) - Date.now()) / 1000)));
    const left = t("op_view_left", { camera, kind: t(`op_view_kind_${view.preview}`), time });
    say(find("#view-state"), picture ? left : `${left} – ${t("op_view_none")}`);
    if (!picture) return;
    const bytes = Uint8Array.from(atob(picture.png), (letter) => letter.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    if (!this.#canvas) return image.close();
    [this.#canvas.width, this.#canvas.height] = [image.width, image.height];
    this.#canvas.getContext("2d").drawImage(image, 0, 0);
    image.close();
    this.#figures(picture.figures);
  }

  #figures({ size: [width, height], light, contrast, sharpness, best_px: px, best_m: m, faces }) {
    const [near, far, small, large] = [...m, ...px].map(number);
    const facts = [
      [t("op_view_picture"), t("op_view_pixels", { width, height })],
      [t("op_view_light"), t("op_view_light_of", { value: number(light) })],
      [t("op_gate_contrast"), number(contrast)],
      [
        t("op_view_sharpness"),
        sharpness < MIN_SHARPNESS ? t("op_view_blurred", { value: number(sharpness) }) : number(sharpness),
      ],
      [t("op_view_best"), t("op_view_best_is", { near, far, small, large })],
    ];
    find("#view-figures").replaceChildren(
      ...facts.flatMap(([what, value]) => [element("dt", {}, what), element("dd", {}, value)]),
    );
    const none = () => [this.#row(t("op_view_no_face"), "")];
    find("#view-faces").replaceChildren(...(faces.length ? faces.map((face) => this.#face(face)) : none()));
  }

  #face({ side_px: side, distance_m: distance, place, refused, gates }) {
    const named = ({ code, what, value }) => `${words.has(`op_gate_${code}`) ? t(`op_gate_${code}`) : what} ${number(value)}`;
    const limits = ({ least, most }) => [
      ...(least === null ? [] : [t("op_view_least", { value: number(least) })]),
      ...(most === null ? [] : [t("op_view_most", { value: number(most) })]),
    ];
    const failed = gates.filter((gate) => !gate.ok).map((gate) => `${named(gate)} (${list(limits(gate))})`);
    const why = refused ? t("op_view_refused", { gates: list(failed) }) : t("op_view_read");
    const stands = t("op_view_face", { distance: number(distance), place: t(PLACES[place]) });
    const row = this.#row(element("bdi", {}, `${number(side)} px`), `${stands} ${why}`);
    const passed = gates.filter((gate) => gate.ok).map(named);
    row.lastChild.append(element("div", { className: "note" }, list(passed)));
    if (refused) row.lastChild.classList.add("refused");
    return row;
  }

  #row(name, text) {
    return element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, text));
  }

  /** Takes the picture off the page; the words stay. */
  #close(text, reason = "") {
    this.#run += 1;
    this.#canvas = null;
    for (const place of ["#view-picture", "#view-figures", "#view-faces"]) find(place).replaceChildren();
    say(find("#view-state"), text, reason);
  }
}
