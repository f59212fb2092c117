"""Which tests are quick: those that start no program, listen nowhere, connect to nothing and train no network.

It is read from the code of a test, of its fixtures and of all of ours that they call; there is no list to keep.
While a test that was found quick runs, every program and connection is refused, so that a mistake shows.
"""

import dis
import functools
import inspect
import sys
import types
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

OURS = ("tests", "services", "shared", "moodstream", "training", "benchmarks", "deploy")
STARTERS = frozenset(
    {"aiomqtt", "distributed", "mpd", "multiprocessing", "playwright", "psycopg", "redis", "subprocess", "uvicorn"}
    | {"keras", "tensorflow", "tf2onnx"}  # these start nothing, but take their time
)
"""Packages by which programs are started, or spoken to."""
HARMLESS = frozenset({"redis.exceptions", "redis.crc"})
STARTING_NAMES = {
    "faststream": {"RedisBroker"},
    "asyncio": {"create_subprocess_exec", "open_connection", "open_unix_connection", "start_server"},
    "posix": {"execv", "execve", "execvpe", "fork", "posix_spawn", "system"},
    "socket": {"create_connection", "create_server", "socket"},
    "socketserver": {"TCPServer", "ThreadingTCPServer", "UDPServer"},
    "http.server": {"HTTPServer", "ThreadingHTTPServer"},
    "urllib.request": {"urlopen", "build_opener"},
}
STARTING_EVENTS = frozenset(
    {"os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.system", "socket.bind", "socket.connect"}
    | {"subprocess.Popen"}
)
"""Audit events (https://docs.python.org/3/library/audit_events.html) that a quick test may not cause."""

HARMLESS_PROGRAMS = (("lscpu",),)
"""By which joblib counts the cores, once."""

_running: list[str] = []


class NotQuick(BaseException):
    """A test that was found quick starts or reaches something; nothing that the test calls may swallow that."""


def forbid_starting() -> None:
    """Once a process; from then on `refusing` refuses."""

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        if _running and event in STARTING_EVENTS and arguments[:1] not in HARMLESS_PROGRAMS:
            raise NotQuick(f"{_running[-1]} was found quick, but causes {event} {arguments[:2]!r}")

    sys.addaudithook(refuse)


@contextmanager
def refusing(test: str) -> Iterator[None]:
    """Programs and connections are refused while this quick test runs."""
    _running.append(test)
    try:
        yield
    finally:
        _running.remove(test)


def is_quick(item: pytest.Item) -> bool:
    """Whether neither the test nor one of its fixtures starts or reaches anything."""
    if not isinstance(item, pytest.Function):
        return False
    fixtures = [one.func for several in item._fixtureinfo.name2fixturedefs.values() for one in several]
    written = getattr(getattr(item.function, "hypothesis", None), "inner_test", item.function)  # below @given
    return not any(starts_with(inspect.unwrap(one)) for one in (written, *fixtures))


@functools.cache
def starts_with(function: types.FunctionType) -> str | None:
    """The package that a function, or what it calls, may start something with; None where there is none."""
    waiting: list[Any] = [function]
    seen: set[int] = set()
    while waiting:
        used = waiting.pop()
        if id(used) in seen:
            continue
        seen.add(id(used))
        if start := _start(used):
            return start
        waiting += _within(used)
    return None


def _start(used: Any) -> str | None:
    """The name of a starting package, if ``used`` is from one; its exceptions start nothing."""
    if isinstance(used, types.ModuleType):
        return used.__name__ if used.__name__.partition(".")[0] in STARTERS else None
    module, name = str(getattr(used, "__module__", "")), getattr(used, "__name__", "")
    if module in HARMLESS or (isinstance(used, type) and issubclass(used, BaseException)):
        return None
    named = any(f"{module}.".startswith(f"{one}.") and name in names for one, names in STARTING_NAMES.items())
    return module if named or module.partition(".")[0] in STARTERS else None


def _within(used: Any) -> Iterable[Any]:
    """What may run when ``used`` is called: what a function names or decorates, every method of a class of ours."""
    if str(getattr(used, "__module__", "")).partition(".")[0] not in OURS and not isinstance(used, DESCRIPTORS):
        return ()
    if isinstance(used, functools.partial):
        return (used.func,)
    if isinstance(used, (staticmethod, classmethod, types.MethodType)):
        return (used.__func__,)
    if isinstance(used, functools.cached_property):
        return (used.func,)
    if isinstance(used, property):
        return filter(None, (used.fget, used.fset))
    if isinstance(used, type):
        return (*vars(used).values(), *used.__bases__)
    if isinstance(used, types.FunctionType):
        return (*_all_named(used), *filter(None, (getattr(used, "__wrapped__", None),)))
    return filter(None, (getattr(used, "__wrapped__", None),))


DESCRIPTORS = (staticmethod, classmethod, property, functools.cached_property, functools.partial, types.MethodType)


@functools.cache
def _all_named(function: types.FunctionType) -> tuple[Any, ...]:
    """Once for each function: many tests call the same ones."""
    return tuple(_named(function))


def _named(function: types.FunctionType) -> Iterator[Any]:
    """The globals, imports and enclosed variables that the code names; of modules, their attributes."""
    for code in _codes(function.__code__):
        last: Any = None
        for step in dis.get_instructions(code):
            match step.opname:
                case "LOAD_GLOBAL" | "LOAD_NAME":
                    last = function.__globals__.get(step.argval)
                case "IMPORT_NAME":
                    last = sys.modules.get(step.argval)
                case "LOAD_ATTR" | "LOAD_METHOD" if isinstance(last, types.ModuleType):
                    last = getattr(last, step.argval, None)
                case "IMPORT_FROM":
                    yield getattr(last, step.argval, None)
                    continue
                case _:
                    last = None
            yield last
            if last is not sys.modules and isinstance(last, Mapping):  # ways to do something, by name
                yield from last.values()
            elif isinstance(last, (list, tuple)):
                yield from last
    for cell in function.__closure__ or ():
        yield cell.cell_contents


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)
