// What the operator's pages share: making elements, asking the server, and their words.

import { Words } from "../words.js";

/** Of the site, as the browser sees it, whichever of the pages this is. */
export const ROOT = new URL("../../", import.meta.url).pathname;
export const words = new Words([`${ROOT}static/messages`, `${ROOT}static/operator/messages`]);
export const { t } = words;
export const find = (selector) => document.querySelector(selector);

export function element(tag, { dataset = {}, ...properties } = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  Object.assign(made.dataset, dataset);
  made.append(...children);
  return made;
}

/** A song as one line; music of one's own may have no artist. */
export const titled = ({ title, artist }) => [title, artist].filter(Boolean).join(", ");

/** What a service says, which is in English whatever the page speaks. */
export const english = (text, properties = {}) => element("span", { lang: "en", dir: "ltr", ...properties }, text);

/** Of the operator's part of the API. */
export const ask = (path, ...rest) => api(`operator/${path}`, ...rest);

/** The result of a request; an error has the server's line, its `status`, and maybe the `setting` that is wrong. */
export async function api(path, method = "GET", body = undefined, headers = {}) {
  const answer = await fetch(`${ROOT}api/v1/${path}`, {
    method,
    headers: body === undefined ? headers : { "Content-Type": "application/json", ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(20_000),
  });
  const said = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(said.error), { status: answer.status, setting: said.setting });
  return said.result;
}

/** Send a file as it is, and tell how far it is, 0 to 1; `stop` ends it. */
export function send(path, file, progress, stop) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // fetch does not tell how much has left
    request.open("PUT", `${ROOT}api/v1/operator/${path}`);
    request.upload.addEventListener("progress", ({ loaded, total }) => progress(total ? loaded / total : 1));
    request.addEventListener("load", () => {
      let said = {};
      try {
        said = JSON.parse(request.responseText);
      } catch {
        said = { error: `${request.status}` }; // of something between here and Moodstream
      }
      if (request.status < 300) resolve(said.result);
      else reject(Object.assign(new Error(said.error), { status: request.status }));
    });
    request.addEventListener("error", () => reject(Object.assign(new Error("lost"), { lost: true })));
    request.addEventListener("abort", () => reject(Object.assign(new Error("stopped"), { stopped: true })));
    stop.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}

/** One line, and after it the reason as the server says it in English. */
export function say(place, text, reason = "") {
  place.replaceChildren(text, ...(reason ? [" ", english(reason)] : []));
}

/** Speak the visitor's language, and put the words of the page where they belong. */
export async function speak(title) {
  if (!(await words.speak(Words.preferred()))) await words.speak("en");
  for (const one of document.querySelectorAll("[data-text]")) one.textContent = t(one.dataset.text);
  for (const one of document.querySelectorAll("[data-label]")) one.setAttribute("aria-label", t(one.dataset.label));
  document.title = `Moodstream: ${t(title)}`;
}
