// Elements, and the sleeve that every song gets: rings drawn from its id, since covers would need the network.

const SVG = "http://www.w3.org/2000/svg";
const HUES = { angry: 30, happy: 82, sad: 258, calm: 172 };

export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  const { dataset, ...rest } = properties;
  Object.assign(made, rest);
  Object.assign(made.dataset, dataset);
  made.append(...children);
  return made;
}

export function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** The same song always gets the same sleeve; its colours are those of the mood. */
export function sleeve(song, mood) {
  const random = numbers(song.id);
  const between = (least, most) => least + random() * (most - least);
  const hue = (HUES[mood] ?? 285) + between(-16, 16);
  const colour = (lightness, chroma, turn = 0) =>
    `oklch(${lightness.toFixed(2)} ${chroma.toFixed(3)} ${((hue + turn + 360) % 360).toFixed(0)})`;
  const [cx, cy] = [between(28, 72), between(34, 66)];
  const rings = svg("g", { class: "rings", fill: "none", "stroke-linecap": "round" });
  for (let radius = between(5, 9); radius < 95; radius += between(5.5, 9.5)) {
    const length = 2 * Math.PI * radius;
    const seen = between(0.25, 0.8);
    rings.append(
      svg("circle", {
        cx,
        cy,
        r: radius.toFixed(1),
        stroke: colour(between(0.6, 0.92), between(0.07, 0.15), between(-28, 28)),
        "stroke-width": between(1, 4.4).toFixed(1),
        "stroke-opacity": between(0.45, 1).toFixed(2),
        "stroke-dasharray": `${(seen * length).toFixed(1)} ${((1 - seen) * length).toFixed(1)}`,
        transform: `rotate(${between(0, 360).toFixed(0)} ${cx} ${cy})`,
      }),
    );
  }
  return svg(
    "svg",
    { viewBox: "0 0 100 100", preserveAspectRatio: "xMidYMid slice", class: "sleeve", "aria-hidden": "true" },
    svg("rect", { width: 100, height: 100, fill: colour(0.31, 0.065) }),
    rings,
    svg("circle", { cx, cy, r: 2.6, fill: colour(0.96, 0.04) }),
  );
}

/** Even numbers in 0..1 from a text: FNV-1a to begin, mulberry32 to go on. */
function numbers(text) {
  let state = 0x811c9dc5;
  for (const letter of text) state = Math.imul(state ^ letter.codePointAt(0), 0x01000193);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
