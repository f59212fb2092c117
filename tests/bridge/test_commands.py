"""`moodstream webhooks` as a person uses it: real processes against a receiver and a Redis of one's own."""

import asyncio
import json
import os
import sys
from pathlib import Path

from standardwebhooks import Webhook as Verifier

from services.bridge.webhooks.outbox import Outbox
from tests.support.bridges import endpoint, receivers_file
from tests.support.gateways import ROOT, connected_bus


async def webhooks(redis_url: str, file: Path | None, *arguments: str) -> tuple[int, str, str]:
    """Exit code, output and errors of the command."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MOODSTREAM_")}
    environment |= {"MOODSTREAM_REDIS_URL": redis_url} | ({"MOODSTREAM_WEBHOOKS": str(file)} if file else {})
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services", "webhooks", *arguments),
        cwd=ROOT,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, output.decode(), errors.decode()


async def test_a_secret_a_test_message_a_list_and_enabling(redis_url: str, tmp_path: Path) -> None:
    code, secret, _ = await webhooks(redis_url, None, "secret")
    assert code == 0
    async with endpoint() as one:
        given = {"name": "lights", "url": one.url, "secrets": [secret.strip()], "private": True}
        file = receivers_file(
            tmp_path, given, {**given, "name": "sound", "url": "https://127.0.0.1/", "private": False}
        )
        assert await webhooks(redis_url, file, "test", "lights") == (0, "lights: status 204\n", "")
        [posted] = one.got
        body = Verifier(secret.strip()).verify(posted.body, posted.headers)
        assert (body["type"], body["data"]["code"]) == ("StatusChanged", "test")
        one.status = lambda _: (410, "")
        assert await webhooks(redis_url, file, "test", "lights") == (1, "lights: status 410\n", "")
    code, output, _ = await webhooks(redis_url, file, "test", "sound")
    assert code == 1
    assert "private address" in output
    async with connected_bus(redis_url) as bus:
        await Outbox(bus, "lights").put("letter", "{}")
        await Outbox(bus, "sound").disable("https://127.0.0.1/")
        code, output, _ = await webhooks(redis_url, file, "list", "--json")
        lights, sound = map(json.loads, output.splitlines())
        assert (code, lights["waiting"], lights["disabled"], sound["disabled"]) == (0, 1, "", "https://127.0.0.1/")
        code, output, _ = await webhooks(redis_url, file, "list")
        assert "lights  " + one.url + ": waiting 1, delivered 0" in output
        assert secret.strip() not in output
        assert (await webhooks(redis_url, file, "enable", "sound"))[0] == 0
        assert await Outbox(bus, "sound").disabled_at() is None


async def test_what_is_wrong_is_one_line(redis_url: str, tmp_path: Path) -> None:
    file = receivers_file(tmp_path)
    for given, url, arguments, words in (
        (None, redis_url, ("list",), "MOODSTREAM_WEBHOOKS"),
        (file, redis_url, ("test", "lights"), "no webhook is called lights"),
        (file, redis_url, ("enable", "lights"), "no webhook is called lights"),
        (file, "redis://127.0.0.1:1", ("list",), "Redis does not answer"),
    ):
        code, _, errors = await webhooks(url, given, *arguments)
        assert code == 1
        assert words in errors
        assert len(errors.splitlines()) == 1
