"""A stranger's client, made of our document by openapi-python-client, asks a running site."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.support.page.site import site

DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.json"
NOT_JSON = {"POST /frames", "POST /voices", "GET /qr"}
"""Pictures and sounds: this generator makes no functions for them."""
PROGRAM = """
import sys
from moodstream_client import Client
from moodstream_client.api.moods import choose_mood
from moodstream_client.api.songs import songs_offer, songs_search, songs_similar
from moodstream_client.models import ChosenMood, ChosenMoodMood, Problem, SongsOfferMood

client = Client(base_url=sys.argv[1] + "/api/v1")
first = songs_offer.sync(client=client, mood=SongsOfferMood.CALM).result.songs[0]
assert first.id in [one.song.id for one in songs_search.sync(client=client, text=first.title).result.found]
assert len(songs_similar.sync(client=client, id=first.id, n=3).result.ranking) == 3
chosen = choose_mood.sync_detailed(client=client, body=ChosenMood(ChosenMoodMood.CALM, "camera-1"))
assert chosen.status_code == 200, chosen
refused = songs_similar.sync_detailed(client=client, id="nothing")
assert refused.status_code == 409 and isinstance(refused.parsed, Problem), refused
print(refused.parsed.error)
"""


def test_a_generated_client_asks_and_understands_a_refusal(tmp_path: Path) -> None:
    generator = Path(sys.executable).with_name("openapi-python-client")
    command = [str(one) for one in (generator, "generate", "--path", DOCUMENT, "--output-path", tmp_path / "client")]
    made = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert set(re.findall(r"WARNING parsing (\w+ \S+)", made.stdout + made.stderr)) == NOT_JSON
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "client")}
    with site(tmp_path, "--camera", "pattern:", "--player", "log") as running:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, running.url], env=environment, capture_output=True, text=True, timeout=60
        )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "no song with the id 'nothing' in the catalogue\n"


def test_the_names_of_operations_are_different_and_readable() -> None:
    names = re.findall(r'"operationId": "(\w+)"', DOCUMENT.read_text())
    assert len(names) == len(set(names)) > 50
    assert {"choose_mood", "songs_similar", "read_words", "operator_look_read"} <= set(names)
