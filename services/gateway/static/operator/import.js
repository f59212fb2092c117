// The owner's own songs: a table, files of music or a folder become what is offered; all of it outlives a reload.

import { ask, element, find, say, send, t, words } from "./parts.js";

const LOOK_EVERY_MS = 1_000;
const REST_MS = 10_000;
const SHOWN = 50; // of files that were left out
const begun = { sending: null, shown: "", again: 0 };
let isOwner = false;
let known = null;

const mb = (bytes) =>
  new Intl.NumberFormat(words.language, { style: "unit", unit: "megabyte" }).format(Math.ceil(bytes / 2 ** 20));

export function beginImport(owner) {
  isOwner = owner;
  for (const one of document.querySelectorAll("#own .owners")) one.hidden = !owner;
  find("#table-file").addEventListener("change", ({ target }) => chosen(target, sendTable));
  for (const id of ["#music-files", "#music-folder"]) {
    find(id).addEventListener("change", ({ target }) => chosen(target, sendMusic));
  }
  for (const button of document.querySelectorAll("[data-opens]")) {
    button.addEventListener("click", () => find(button.dataset.opens).click());
  }
  find("#own-folder").addEventListener("submit", (event) => {
    event.preventDefault();
    start({ source: "folder", folder: find("#folder").value.trim() });
  });
  find("#sample").addEventListener("click", () => start({ source: "sample" }));
  find("#make").addEventListener("click", () => start({ source: "music" }));
  find("#guess").addEventListener("click", () => start({ source: "table", guess: true }, true));
  find("#import-cancel").addEventListener("click", cancel);
  find("#delete-music").addEventListener("click", deleteMusic);
  addEventListener("beforeunload", (event) => begun.sending && event.preventDefault());
  look();
}

/** Ask again and again: often while something happens. */
async function look() {
  clearTimeout(begun.again);
  try {
    known = await ask("import");
    if (!begun.sending) show();
  } catch (error) {
    if (!begun.sending) say(find("#import-said"), t("op_import_unknown"), error.message);
  }
  const soon = known?.import && (known.import.state === "running" || !known.import.in_use);
  begun.again = setTimeout(look, soon ? LOOK_EVERY_MS : REST_MS);
}

function show() {
  const { import: now, away, fault, uploaded, music, limits } = known;
  const running = now?.state === "running";
  const refused = fault ?? (now?.state === "running" ? null : now?.refused);
  find("#songs-now").textContent = now ? t("op_import_songs", { count: words.number(now.songs) }) : "";
  find("#import-note").textContent = t("op_import_note", { table: mb(limits.table_bytes), sound: mb(limits.sound_bytes) });
  find("#uploaded").textContent = t("op_import_uploaded", { count: words.number(uploaded.files), size: mb(uploaded.bytes) });
  find("#uploaded-row").hidden = !isOwner || !uploaded.files || running || music.fixed;
  for (const one of document.querySelectorAll("#own .sends")) one.disabled = running || !now || fault !== null;
  for (const one of document.querySelectorAll("#own .music")) one.disabled ||= music.fixed;
  find("#sample").disabled = running || !now;
  find("#import-cancel").hidden = !isOwner || !running;
  bar(running ? (now.total ? now.done / now.total : null) : undefined);
  if (running) say(find("#import-said"), at(now), doing(now));
  else if (away) say(find("#import-said"), t("op_away"));
  else if (refused) say(find("#import-said"), now.state === "done" ? t("op_import_unused") : t("op_import_nowhere"), refused);
  else if (now.state === "failed") say(find("#import-said"), t("op_import_failed"), now.error);
  else if (now.state === "done")
    say(find("#import-said"), t(now.in_use ? "op_import_done" : "op_import_taken_up", { count: words.number(now.songs) }));
  else say(find("#import-said"), now.state === "cancelled" ? t("op_import_cancelled") : "");
  if (now && begun.shown !== `${now.begun_at} ${now.state}`) {
    begun.shown = `${now.begun_at} ${now.state}`;
    report(now);
  }
}

const at = ({ source, name }) =>
  source === "remaining" ? t("op_import_deleting") : t("op_import_running", { name: name || t("op_import_sample") });
const doing = ({ done, total, doing: what }) => (total ? `${words.number(done)} / ${words.number(total)}: ${what}` : what);

/** 0 to 1; null is "nobody knows how far", undefined hides it. */
function bar(share) {
  const shown = find("#import-progress");
  shown.hidden = share === undefined;
  if (share === null) shown.removeAttribute("value");
  else shown.value = share ?? 0;
}

function report({ state, source, report: told, proposal }) {
  const rows = [];
  const line = (what, value) => rows.push(element("tr", {}, element("th", { scope: "row", dir: "auto" }, what), value));
  const cell = (text) => element("td", { dir: "auto", lang: "en" }, `${text}`);
  if (state === "done" && source === "folder") {
    line(t("op_import_files"), cell(words.number(told.files)));
    line(t("op_import_songs_made"), cell(words.number(told.songs)));
    line(t("op_import_offered"), cell(words.number(told.offered)));
    const left = [
      ...Object.entries(told.faults),
      ...Object.entries(told.duplicates).map(([name, other]) => [name, `= ${other}`]),
    ];
    for (const [name, why] of left.slice(0, SHOWN)) line(name, cell(why));
    if (left.length > SHOWN) line("…", cell(words.number(left.length - SHOWN)));
  } else if (state === "done") {
    line(t("op_import_kept"), cell(`${words.number(told.kept)} / ${words.number(told.rows)}`));
    for (const [why, count] of Object.entries(told.dropped)) line(`– ${why}`, cell(words.number(count)));
    const mapped = Object.entries(told.columns).map(([ours, theirs]) => `${ours} ← ${theirs.join(", ")}`);
    if (mapped.length) line(t("op_import_headings"), cell(mapped.join(" · ")));
    line(t("op_import_offered"), cell(words.number(told.offered)));
    for (const note of told.notes) line(t("op_import_remark"), cell(note));
  } else if (proposal) {
    for (const [ours, { column, why }] of Object.entries(proposal.proposed)) line(`${ours} ← ${column}?`, cell(why));
  }
  find("#guess").hidden = !isOwner || !Object.keys(proposal?.proposed ?? {}).length;
  find("#report").replaceChildren(...rows);
  find("#report-box").hidden = !rows.length;
}

function chosen(input, sends) {
  const files = [...input.files];
  input.value = ""; // the same file may be chosen again
  if (files.length && sure()) sends(files);
}

const sure = () => confirm(t("op_import_sure", { count: words.number(known?.import?.songs ?? 0) }));

async function start(body, agreed = false) {
  if (!agreed && !sure()) return;
  try {
    await ask("import", "POST", body);
    await look();
  } catch (error) {
    say(find("#import-said"), t("op_failed"), error.message);
  }
}

/** What plays is heard out; songs of a table stay. */
async function deleteMusic() {
  if (!confirm(t("op_import_delete_sure", { count: words.number(known.uploaded.files) }))) return;
  try {
    await ask("import/music", "DELETE");
    await look();
  } catch (error) {
    say(find("#import-said"), t("op_failed"), error.message);
  }
}

async function cancel() {
  if (begun.sending) begun.sending.abort();
  else await ask("import", "DELETE").then(look, (error) => say(find("#import-said"), t("op_failed"), error.message));
}

/** Run what sends, with a bar and a button that ends it; what goes wrong is one line. */
async function sending(lost, work) {
  begun.sending = new AbortController();
  find("#import-cancel").hidden = false;
  for (const one of document.querySelectorAll("#own .sends, #sample, #make")) one.disabled = true;
  let ended = null;
  try {
    await work(begun.sending.signal);
  } catch (error) {
    if (error.stopped) ended = [t("op_import_cancelled")];
    else ended = error.lost ? [t(lost)] : [t("op_failed"), error.message];
  }
  begun.sending = null;
  find("#make").disabled = false;
  bar(undefined);
  await look();
  if (ended) say(find("#import-said"), ...ended);
}

function sendTable([file]) {
  if (file.size > known.limits.table_bytes) return say(find("#import-said"), t("op_import_too_large", { name: file.name }));
  return sending("op_import_lost_table", async (stop) => {
    const tell = (share) => {
      bar(share);
      say(find("#import-said"), t("op_import_sending", { name: file.name, percent: words.percent(share) }));
    };
    tell(0);
    await send(`import/table?${new URLSearchParams({ name: file.name })}`, file, tell, stop);
  });
}

/** What is there already, of the same name and size, is not sent again: so a lost connection costs little. */
function sendMusic(files) {
  return sending("op_import_lost", async (stop) => {
    const there = await ask("import/music");
    const nameOf = (file) => (file.webkitRelativePath || file.name).normalize("NFC");
    const wanted = files.filter((file) => !file.name.startsWith(".") && there[nameOf(file)] !== file.size);
    const left = [];
    let done = 0;
    for (const file of wanted) {
      const tell = (share) => {
        bar((done + share) / wanted.length);
        const values = { name: file.name, percent: `${words.number(done + 1)} / ${words.number(wanted.length)}` };
        say(find("#import-said"), t("op_import_sending", values));
      };
      tell(0);
      try {
        if (file.size > known.limits.sound_bytes)
          throw Object.assign(new Error(t("op_import_too_large", { name: file.name })), { status: 413 });
        await send(`import/music?${new URLSearchParams({ name: nameOf(file) })}`, file, tell, stop);
      } catch (error) {
        if (error.status !== 415 && error.status !== 413 && error.status !== 422) throw error;
        left.push(error.message); // the others may be music all the same
      }
      done += 1;
    }
    find("#left").replaceChildren(...left.slice(0, SHOWN).map((why) => element("li", { lang: "en", dir: "auto" }, why)));
    if (left.length === files.length) throw new Error(left[0]);
    await ask("import", "POST", { source: "music" });
  });
}
