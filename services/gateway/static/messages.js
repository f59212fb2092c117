// Every word that the page says, in one object per language.

export const en = {
  skip: "Go to the songs",
  stop: "Stop",
  stopped: "Stopped. This visit is forgotten.",

  // the mirror
  nobody: "Step closer",
  nobody_lead: "Nobody here yet",
  nobody_detail: "Let the camera see your face, or choose a mood by hand.",
  stale_lead: "The camera is silent",
  look: "You look",
  chosen: "You chose",
  unsure_lead: "For now",
  unsure: "not sure",
  unsure_detail: "Your face says several things at once. Give it a moment, or choose a mood by hand.",
  sure: "{percent} % sure",
  faces: "{count} faces are seen; the nearest one counts.",
  faces_together: "{count} faces are seen, and all of them count.",
  notice:
    "A camera reads the apparent mood of faces here. That happens on this machine: no picture is kept, " +
    "nobody is recognised, and Stop ends it at any time.",
  notice_short: "The apparent mood is read on this machine. No picture is kept, and nobody is recognised.",

  // the moods
  angry: "angry",
  happy: "happy",
  sad: "sad",
  calm: "calm",
  choose: "Choose a mood by hand",
  not_right: "Not right? Choose yours",
  choose_one: "Choose {mood}",
  choose_one_now: "Choose {mood}, now {percent} percent",
  asked_for: "{mood} it is.",
  plane: "Place of the mood: pleasantness {valence} and energy {arousal}, each from -100 to 100",
  plane_empty: "No mood is read now",

  // the songs
  songs_none: "Five songs will wait here",
  songs_none_detail: "They come as soon as there is a mood.",
  offer: "Pick the song nearest to your taste",
  offer_detail: "Five songs that sound {mood}",
  offer_expired: "This offer has ended",
  offer_expired_detail: "The songs waited for a while.",
  again: "New songs",
  picked: "You picked {title}",
  picked_detail: "Looking for songs that are near to it",
  ranking: "Near to {title}",
  ranking_detail: "You picked it; these come closest, with their likeness",
  likeness: "likeness {percent} percent",

  // the player
  player_unknown: "The player has not started yet",
  ready: "Ready to play",
  playing: "Now playing",
  paused: "Paused",
  signed_out: "The player is signed out",
  no_device: "There is nothing to play on",
  needs_reauthorization: "The player has to sign in again",
  rate_limited: "The music service asks for a pause",
  quota_exceeded: "The music service has had enough for now",
  premium_required: "The music service wants a Premium account",
  unavailable: "Cannot play now",
  no_network: "There is no network, so this page cannot play the song. You hear the house’s own music.",
  no_address: "This song has no address to play it from. You hear the house’s own music.",
  touch_to_hear: "Touch the page to hear it.",
  do_pause: "Pause",
  do_resume: "Go on",
  do_next: "Next song",
  embed: "Spotify player: {title}",

  // the camera and the line
  camera_local: "Camera: {what}",
  camera_online: "online",
  camera_offline: "away ({why})",
  camera_offline_bare: "away",
  camera_degraded: "works badly ({why})",
  camera_none: "Camera: none has reported yet",
  camera_own: "Camera: this browser’s own",
  camera_start: "Use this browser’s camera",
  camera_end: "End this browser’s camera",
  camera_where: "Your pictures go to {host} only; they are read there and not kept.",
  camera_refused: "The camera was not allowed. You can choose a mood by hand.",
  camera_missing: "This device has no camera. You can choose a mood by hand.",
  camera_busy: "The camera is in use elsewhere. You can choose a mood by hand.",
  camera_insecure: "Browsers open the camera only over HTTPS or on the machine itself. You can choose a mood by hand.",
  camera_unknown: "The camera did not start. You can choose a mood by hand.",
  connecting: "Connecting …",
  lost: "Connection lost. Trying again …",
  back: "Connected again.",
  failed: "That did not work: {why}",
  failed_offline: "That did not work: the connection is lost.",
};

/** A function from a key and values to a text; a missing key is a mistake of the programmer. */
export function translator(messages) {
  return (key, values = {}) => {
    if (!(key in messages)) throw new Error(`no message ${key}`);
    return messages[key].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
  };
}
