// Looking after the site: who gets alerts, backup and restore, versions, restart, the newest log lines.

import { createField, isChanged, valuesOf } from "./fields.js";
import { ask, element, find, say, send, speak, t } from "./parts.js";

const MAIL = ["to", "sender", "server", "port", "user", "password"];
const LOOK_MS = 5_000;
const updates = { version: null, field: null };
let isOwner = false;

const list = (results) =>
  Object.entries(results)
    .map(([kind, why]) => `${t(`op_care_kind_${kind}`)}: ${why ?? t("op_care_sent")}`)
    .join("\n");

function showAlerts({ ntfy, webhook, mail, problems, last }) {
  find("#ntfy-now").textContent = t(ntfy ? "op_care_set" : "op_care_unset", { value: ntfy });
  find("#webhook-now").textContent = t(webhook ? "op_care_set" : "op_care_unset", { value: webhook });
  find("#mail-now").textContent = t(mail ? "op_care_set" : "op_care_unset", { value: mail && `${mail.to}, ${mail.server}` });
  for (const name of MAIL) {
    if (mail && name !== "password" && document.activeElement !== find(`#mail-${name}`))
      find(`#mail-${name}`).value = mail[name];
  }
  find("#mail-password").placeholder = mail?.password ? "••••••" : "";
  find("#test").disabled = !(ntfy || webhook || mail);
  find("#none").disabled = find("#test").disabled;
  const now = problems.length ? t("op_care_problems", { problems: problems.join("; ") }) : t("op_care_well");
  find("#problems").textContent = last ? `${now} ${t("op_care_last", { text: last.text })}` : now;
}

async function saveAlerts() {
  const body = {};
  for (const name of ["ntfy", "webhook"]) if (find(`#${name}`).value.trim()) body[name] = find(`#${name}`).value.trim();
  const mail = Object.fromEntries(MAIL.map((name) => [name, find(`#mail-${name}`).value.trim()]));
  if (mail.to || mail.server) body.mail = { ...mail, port: Number(mail.port) };
  await change(body);
}

async function change(body) {
  try {
    const told = await ask("alerts", "POST", body);
    showAlerts(told);
    for (const id of ["#ntfy", "#webhook", "#mail-password"]) find(id).value = "";
    const secret = told.webhook_secret;
    say(find("#alerts-said"), secret ? `${t("op_saved")} ${t("op_care_secret", { secret })}` : t("op_saved"));
  } catch (error) {
    say(find("#alerts-said"), t("op_failed"), error.message);
  }
}

async function test() {
  find("#test").disabled = true;
  say(find("#alerts-said"), t("op_care_sending"));
  try {
    say(find("#alerts-said"), list(await ask("alerts/test", "POST", {})));
  } catch (error) {
    say(find("#alerts-said"), t("op_failed"), error.message);
  }
  find("#test").disabled = false;
}

async function restore({ target }) {
  const [file] = target.files;
  target.value = "";
  if (!file || !confirm(t("op_care_restore_sure", { name: file.name }))) return;
  const tell = (share) =>
    say(find("#backup-said"), t("op_import_sending", { name: file.name, percent: `${Math.round(100 * share)} %` }));
  try {
    const told = await send("upkeep/backup", file, tell, new AbortController().signal);
    say(find("#backup-said"), t(told.catalogue ? "op_care_restored_songs" : "op_care_restored"));
  } catch (error) {
    say(find("#backup-said"), error.lost ? t("op_import_lost_table") : t("op_failed"), error.lost ? "" : error.message);
  }
}

async function restart() {
  if (!confirm(t("op_care_restart_sure"))) return;
  try {
    await ask("upkeep/restart", "POST", {});
    say(find("#restart-said"), t("op_care_restarting"));
  } catch (error) {
    say(find("#restart-said"), t("op_failed"), error.message);
  }
}

/** The one setting of this page; nobody is asked for a newer version unless it is set. */
async function readUpdates() {
  const { version, groups } = await ask("settings");
  const setting = groups.flatMap((group) => group.settings).find(({ name }) => name === "update_url");
  Object.assign(updates, { version, field: createField(setting, isOwner, () => {}) });
  find("#update-field").replaceChildren(updates.field.box);
}

async function saveUpdates() {
  if (!isChanged(updates.field)) return;
  try {
    await ask("settings", "PATCH", { values: valuesOf([updates.field]) }, { "If-Match": `"${updates.version}"` });
    say(find("#update-said"), t("op_saved"));
    await readUpdates();
  } catch (error) {
    say(find("#update-said"), t(error.status === 412 ? "op_setup_conflict" : "op_failed"), error.message);
    if (error.status === 412) await readUpdates();
  }
}

function showUpdate(update) {
  if (update?.fault) say(find("#update-now"), t("op_care_update_unknown"), update.fault);
  else say(find("#update-now"), update ? t(update.newer ? "op_care_newer" : "op_care_newest", update) : "");
}

function showUpkeep({ versions, lines, elsewhere, update }) {
  showUpdate(update);
  find("#versions").replaceChildren(
    ...Object.entries(versions).map(([name, text]) =>
      element("tr", {}, element("th", { scope: "row" }, name), element("td", { dir: "ltr" }, text)),
    ),
  );
  if (elsewhere) say(find("#elsewhere"), t("op_care_elsewhere"), elsewhere);
  find("#lines").textContent = lines.join("\n") || t("op_care_no_lines");
}

/** Again and again; while Moodstream starts again, nobody answers. */
async function look() {
  try {
    showAlerts(await ask("alerts"));
    if (isOwner) showUpkeep(await ask("upkeep"));
  } catch (error) {
    find("#problems").textContent = `${t("op_setup_unknown")} ${error.message}`;
  }
  setTimeout(look, LOOK_MS);
}

async function begin() {
  await speak("op_care");
  find("#alerts").addEventListener("submit", (event) => {
    event.preventDefault();
    saveAlerts();
  });
  find("#test").addEventListener("click", test);
  find("#none").addEventListener("click", () => change({ ntfy: null, webhook: null, mail: null }));
  find("#restore").addEventListener("click", () => find("#file").click());
  find("#file").addEventListener("change", restore);
  find("#restart").addEventListener("click", restart);
  find("#updates").addEventListener("submit", (event) => {
    event.preventDefault();
    saveUpdates();
  });
  try {
    isOwner = (await ask("status")).role === "owner";
    if (isOwner) await readUpdates();
  } catch (error) {
    find("#problems").textContent = `${t("op_setup_unknown")} ${error.message}`;
  }
  find("#staff").hidden = isOwner;
  for (const one of document.querySelectorAll(".owners")) one.hidden = !isOwner;
  for (const one of document.querySelectorAll("#alerts input")) one.disabled = !isOwner;
  look();
}

begin();
