"""Fixtures: a real server for every test that speaks to Redis, and the reference data where it exists."""

import os
from collections.abc import Generator, Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings

from services.cli.run.embedded_redis import embedded_redis
from tests import quick
from tests.support.needs import REFERENCE, missing
from tests.support.redis_process import Server

hypothesis_settings.register_profile("untimed", deadline=None)
hypothesis_settings.load_profile("untimed")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="only tests that start no program and connect to nothing")


def pytest_configure() -> None:
    quick.forbid_starting()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("quick"):
        found = [quick.is_quick(one) for one in items]
        config.hook.pytest_deselected(items=[one for one, is_quick in zip(items, found, strict=True) if not is_quick])
        items[:] = [one for one, is_quick in zip(items, found, strict=True) if is_quick]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    with quick.refusing(item.nodeid) if quick.is_quick(item) else nullcontext():
        return (yield)


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder of the reference data (tests that use it carry the mark ``reference``)."""
    if not REFERENCE.is_dir():
        missing(f"the reference data in {REFERENCE.name} (MOODSTREAM_REFERENCE)")
    return REFERENCE


@pytest.fixture
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A fresh, empty server of one's own: Valkey, or the installed one (MOODSTREAM_TEST_REDIS=installed)."""
    if os.environ.get("MOODSTREAM_TEST_REDIS") == "installed":
        with Server(tmp_path_factory.mktemp("redis")) as server:
            yield server.url
        return
    with embedded_redis() as url:
        yield url
