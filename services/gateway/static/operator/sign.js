// The notice names the microphone where visitors may be heard: all who come near it, or only those who ask; and who
// operates the site, and what one may do, where that was set.

const { kiosk, status } = await (await fetch("../api/v1/state")).json();
const ofSite = status.some(
  ({ service, part, code }) => service === "voice" && part === "microphone" && code !== "end_of_input",
);
const always = kiosk.microphone || ofSite;
const shown = [always ? "always" : "asked", kiosk.voice_commands ? "commands" : "sound"];
for (const words of document.querySelectorAll("[data-when]")) words.hidden = !shown.includes(words.dataset.when);
for (const paragraph of document.querySelectorAll(".voice")) paragraph.hidden = !kiosk.voice;
for (const paragraph of document.querySelectorAll(".law")) paragraph.hidden = kiosk.law !== "eu";
document.body.dataset.law = kiosk.law ?? "none";
const who = [kiosk.name, kiosk.contact].filter(Boolean).join(" · ");
if (who) {
  document.querySelector("#operated-by").textContent = who;
  document.querySelector("#operated-by").classList.remove("blank");
}
document.body.dataset.voice = kiosk.voice ?? "off";
