"""The list of commands, and what a command that is not in it is answered."""

import argparse
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from services.__main__ import main
from services.cli.command_list import COMMANDS, RUN_CHILD, TEXTS
from services.cli.options import Parser

FOLDER = Path(__file__).parents[2] / "services/cli/commands"


def said_of(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    return capsys.readouterr().err


def test_every_module_of_commands_is_listed() -> None:
    modules = {file.stem for file in FOLDER.glob("*.py")} - {"__init__", "run_child"}
    assert modules == set(COMMANDS)


@pytest.mark.parametrize("module", COMMANDS)
def test_a_module_adds_the_commands_that_are_listed_for_it(module: str) -> None:
    commands = Parser().add_subparsers()
    import_module(f"services.cli.commands.{module}").add_commands(commands)
    assert set(commands.choices) == set(COMMANDS[module])


def test_the_help_names_every_command_but_the_child(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    assert all(f"    {name} " in shown or f"    {name}\n" in shown for name in TEXTS)
    assert RUN_CHILD not in shown


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (["rum"], "run"),
        (["simulat"], "simulate"),
        (["songs", "imprt"], "import"),
        (["songs", "offer", "hapy"], "happy"),
    ],
)
def test_the_nearest_command_is_proposed(typed: list[str], meant: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = said_of(typed, capsys)
    assert f"did you mean {meant}?" in said
    assert RUN_CHILD not in said


def test_what_is_like_no_command_is_answered_with_all_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    said = said_of(["qqqq"], capsys)
    assert all(name in said for name in TEXTS)
    assert RUN_CHILD not in said


def test_the_child_has_a_command_nonetheless() -> None:
    commands = argparse.ArgumentParser().add_subparsers()
    import_module("services.cli.commands.run_child").add_commands(commands)
    assert set(commands.choices) == {RUN_CHILD}


def test_the_help_loads_no_command() -> None:
    code = (
        "import sys, contextlib; from services.__main__ import main\n"
        "with contextlib.suppress(SystemExit): main(['--help'])\n"
        "print([one for one in sys.modules if one.startswith('services.cli.commands.')], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr.strip() == "[]"
