// What a visitor says aloud, done as if it had been touched. The words are English, whatever the page speaks.

const MAX_AGE_MS = 5_000; // what was said longer ago is not meant any more
const STEP = 10; // percent
const STAGES = ["hand", "wait", "mirror", "listen"]; // of a visit, and of its beginning without a camera
const IN_VISIT = ["mirror", "listen"];
const STEERED = ["playing", "paused"];
const MOODS = ["angry", "happy", "sad", "calm"];
const PLACES = ["first", "second", "third", "fourth", "fifth"];
const PHRASES = { resume: "go on", other: "other songs" }; // where it is not the command itself

/** What was understood of a command that was said before this page, and is done now; null where it cannot be done, where
 * nobody here has agreed to be heard, or where it is another page's. `page` is what the page is made of, `act` what its
 * buttons do; `take(id)` tells whether no other page carries it out. */
export async function obeyed(heard, page, { command, take, ...act }, nowMs) {
  const { present, visit, voice } = page;
  if (heard.camera_id !== present.view().cameraId) return null;
  // said into this page's own microphone, or into that of the site, which all pages at this place hear of
  const ours = voice.on ? await voice.sent(heard.trace_id) : present.heard && visit.going && (await take(heard.id));
  const { cameraId, atMs, playback } = present.view(); // another visit may have begun meanwhile
  if (!ours || heard.camera_id !== cameraId || !(voice.on || visit.going)) return null;
  const shown = page.shown();
  act.stop = () => visit.end("stopped", nowMs);
  act.play = (song) => command("player", { command: "play", song: song.id });
  act.steer = (name) => command("player", { command: name });
  const said = carryOut(heard, { ...shown, playback, atMs }, act);
  if (said && heard.command !== "stop") visit.understand(nowMs);
  return said;
}

/** Carry out a command where that is possible now, and give what was understood, or null. `view` is what the page shows;
 * `act` is what it can do: choose(mood), pick(offer, song), play(song), steer(command), skip(), turn(percent), again(), stop(). */
function carryOut({ command, heard_at }, view, act) {
  if (!STAGES.includes(view.stage) || view.atMs - Date.parse(heard_at) > MAX_AGE_MS) return null;
  if (command === "stop") act.stop();
  else if (MOODS.includes(command)) act.choose(command);
  else if (!IN_VISIT.includes(view.stage)) return null;
  else if (PLACES.includes(command)) {
    if (!choose(PLACES.indexOf(command), view, act)) return null;
  } else if (command === "other") {
    if (!view.offer && !view.ranking) return null;
    act.again();
  } else if (!steer(command, view.playback, act)) return null;
  return MOODS.includes(command)
    ? `play something ${command}`
    : PLACES.includes(command)
      ? `the ${command} one`
      : (PHRASES[command] ?? command);
}

/** One of the songs on the page, as they stand there. */
function choose(place, { songs, offer, ranking }, act) {
  const song = songs === "offer" ? offer.songs[place] : songs === "ranking" ? ranking.ranking[place]?.song : null;
  if (!song) return false;
  if (songs === "offer") act.pick(offer, song);
  else act.play(song);
  return true;
}

/** The player, as its buttons do; it keeps to the limits that the operator has set. */
function steer(command, playback, act) {
  const { state, volume } = playback ?? {};
  if (!STEERED.includes(state)) return false;
  const [percent, playing] = [volume ?? 100, state === "playing"];
  if (command === "next") act.skip();
  else if (command === "pause" && playing) act.steer("pause");
  else if (command === "resume" && !playing) act.steer("resume");
  else if (command === "louder") act.turn(Math.min(100, percent + STEP));
  else if (command === "quieter") act.turn(Math.max(0, percent - STEP));
  else return false;
  return true;
}
