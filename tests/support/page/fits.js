([width, height]) => {
  const faults = [];
  const name = (element) => element.id ? `#${element.id}` : `${element.tagName}.${element.className.baseVal ?? element.className}`;
  const hidden = (element) => [element, element.parentElement].some((one) => getComputedStyle(one).clipPath !== "none");
  const seen = (element) => !hidden(element) && element.checkVisibility({ opacityProperty: false, visibilityProperty: true }) && !element.closest(".unseen, .skip, svg svg");
  const root = document.documentElement;
  if (root.scrollWidth > width) faults.push(`scrolls sideways: ${root.scrollWidth}`);
  if (root.scrollHeight > height) faults.push(`scrolls: ${root.scrollHeight}`);
  const blocks = ["header", "#sentence", "#notice", "#detail", "#choices", "#moods", "#songs .heading", "#cards", "#ranking", "#player", "footer"]
    .map((selector) => document.querySelector(selector)).filter((element) => element && seen(element) && element.getBoundingClientRect().height > 0);
  const box = (element) => element.getBoundingClientRect();
  for (const [place, one] of blocks.entries()) {
    const a = box(one);
    if (a.left < -1 || a.top < -1 || a.right > width + 1 || a.bottom > height + 1) faults.push(`${name(one)} is outside: ${[a.left, a.top, a.right, a.bottom].map(Math.round)}`);
    for (const other of blocks.slice(place + 1)) {
      const b = box(other);
      const over = Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
      if (over) faults.push(`${name(one)} lies over ${name(other)}`);
    }
  }
  // what holds other things holds them whole; single lines of names may end in "…"
  for (const element of document.querySelectorAll("main *, #player, #player *, header *, footer")) {
    if (!seen(element) || element.closest("svg, iframe, dialog, [popover]") || !element.clientHeight) continue;
    const style = getComputedStyle(element);
    const clamped = style.webkitLineClamp !== "none" || style.textOverflow === "ellipsis";
    const hides = style.overflowY !== "visible";
    if (hides && !clamped && element.scrollHeight > element.clientHeight + 2) faults.push(`${name(element)} cuts ${element.scrollHeight - element.clientHeight} px`);
    const lines = Number(style.webkitLineClamp) || 0;
    const missing = Math.min(lines * parseFloat(style.lineHeight), element.scrollHeight) - element.clientHeight;
    if (missing > 0.12 * parseFloat(style.lineHeight)) faults.push(`${name(element)} cuts a line: ${Math.round(missing)} px`);
    const holder = element.closest(".row, .card, .what, .heading, .mood");
    if (holder && holder !== element && element.textContent.trim()) {
      const [inside, around] = [box(element), box(holder)];
      if (inside.top < around.top - 2 || inside.bottom > around.bottom + 2) faults.push(`${name(element)} is cut by ${name(holder)}: ${Math.round(around.top - inside.top)} ${Math.round(inside.bottom - around.bottom)}`);
    }
    const outer = box(element.parentElement), inner = box(element);
    if (["LI", "BUTTON"].includes(element.tagName) && (inner.bottom > outer.bottom + 2 || inner.right > outer.right + 2 || inner.left < outer.left - 2)) faults.push(`${name(element)} sticks out of ${name(element.parentElement)}`);
  }
  for (const dialog of document.querySelectorAll("dialog[open]")) {
    const { left, top, right, bottom } = box(dialog);
    if (left < 0 || top < 0 || right > width || bottom > height) faults.push(`${name(dialog)} is outside: ${[left, top, right, bottom].map(Math.round)}`);
    if (dialog.scrollHeight > dialog.clientHeight + 1) faults.push(`${name(dialog)} scrolls: ${dialog.scrollHeight - dialog.clientHeight}`);
  }
  for (const button of document.querySelectorAll("button")) {
    if (!seen(button) || button.closest("dialog:not([open]), [popover], .skip")) continue;
    if (Math.min(button.offsetWidth, button.offsetHeight) < 44) faults.push(`${name(button)} is small: ${button.offsetWidth} x ${button.offsetHeight}`);
  }
  return [...new Set(faults)];
}
