// The notice names the microphone where visitors may be heard.

const { kiosk } = await (await fetch("../api/v1/state")).json();
for (const paragraph of document.querySelectorAll(".voice")) paragraph.hidden = !kiosk.voice;
document.body.dataset.voice = kiosk.voice ?? "off";
