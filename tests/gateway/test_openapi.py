"""The API does what its OpenAPI document says, whatever it is sent: schemathesis asks all of Moodstream."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import ignored_auth

from services.gateway.main import GatewaySettings, create_document
from shared.settings import load
from tests.support.page.site import TOKEN, Site, site

DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.json"
EXAMPLES = 12


@schemathesis.serializer("audio/wav", "audio/flac", "audio/ogg")
def as_it_is(_: Any, value: Any) -> Any:
    return value


schema = schemathesis.openapi.from_dict(create_document(load(GatewaySettings)))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    quick = {"MOODSTREAM_FRAME_RATE": "2", "MOODSTREAM_REQUESTS_PER_S": "0"}
    folder = tmp_path_factory.mktemp("site")
    quick["XDG_DATA_HOME"] = str(folder / "data")  # songs are uploaded and imported
    with site(folder, "--camera", "pattern:", "--player", "log", **quick) as one:
        yield one


# the stream of events never ends; a restart ends the others, and alerts would go to addresses that are made up: these
# have tests of their own
@schema.exclude(path=["/events", "/operator/upkeep/restart", "/operator/alerts/test"]).parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_whatever_is_sent_the_answer_is_one_that_is_documented(case: Case[Any], running: Site) -> None:
    answer = case.call(base_url=f"{running.url}/api/v1", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=20)
    assert answer.status_code not in (500, 502)
    if answer.status_code == 426:  # instead of 405: this is where browsers open a WebSocket
        assert (case.method, case.path) == ("GET", "/frames")
        return
    if answer.status_code in (412, 428):  # the version of the settings is made up, or missing
        assert (case.method, case.path) == ("PATCH", "/operator/settings")
        return
    if case.method == "PUT" and answer.status_code in (415, 422):  # any bytes are a body, and few of them such a file
        return
    if case.path in ("/consents", "/operator/alerts", "/operator/look") and answer.status_code == 422:
        return  # which choices go together, and which addresses and texts are good, is more than a schema says
    # 503 and 504 are documented: a service may be too slow on a busy machine. Wrong passwords have tests of their own,
    # since too many of them are answered with 429.
    case.validate_response(answer, excluded_checks=[not_a_server_error, ignored_auth])


def test_the_document_in_the_repository_is_the_one_that_is_served(running: Site) -> None:
    served = httpx.get(f"{running.url}/api/v1/openapi.json").json()
    assert DOCUMENT.read_text() == json.dumps(served, indent=2, ensure_ascii=False) + "\n", "run `make contract`"
