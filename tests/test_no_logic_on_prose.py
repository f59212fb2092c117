"""Nothing in the product decides by a sentence: code compares fields with types, and sentences are for people.

Read from the sources: regular expressions over words, comparisons with words, and searches in what was said to people.
Codes of other programs (``WRONGTYPE``), and words that stand alone (``forced``), are no sentences.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PYTHON = [path for folder in ("services", "shared", "moodstream") for path in sorted((ROOT / folder).rglob("*.py"))]
JAVASCRIPT = sorted((ROOT / "services").rglob("*.js"))

WORDS = re.compile(r"[A-Za-z]{2,}[,;:.]?(?: |\\s[+*]?|\\ )(?:\([^A-Za-z]*\)[,;:.]?[? ]*)*\(?[A-Za-z]{2,}")
"""Two words of a sentence, in a regular expression also with groups between them."""
CODES = re.compile(r"[A-Z][A-Z_ ]*")
FOR_PEOPLE = ("reason", "message", "detail", "advice", "hint", "msg", "fault", "sentence")
"""Names of fields and variables that hold sentences."""
ERRORS = ("error", "exc", "exc_val", "refusal", "failure", "fault")
SEARCHES = ("startswith", "endswith", "find", "rfind", "index", "rindex", "count", "partition", "rpartition", "split")
PATTERNS = ("compile", "match", "search", "fullmatch", "sub", "findall", "finditer", "split")


# Python


@dataclass
class Module:
    """One file, and the texts that its names stand for."""

    tree: ast.Module
    root: Path
    texts: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for statement in self.tree.body:
            if isinstance(statement, ast.ImportFrom) and statement.module:
                found = _constants(self.root / f"{statement.module.replace('.', '/')}.py")
                self.texts |= {
                    name.asname or name.name: found[name.name] for name in statement.names if name.name in found
                }
        self.texts |= _assigned(self.tree)

    def said(self, node: ast.AST) -> list[str]:
        """Every text that stands in an expression, also behind a name."""
        texts: list[str] = []
        for part in ast.walk(node):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                texts.append(part.value)
            elif isinstance(part, ast.Name):
                texts += self.texts.get(part.id, [])
        return texts

    def is_prose(self, node: ast.AST) -> bool:
        return any(WORDS.search(text) for text in self.said(node))

    def are_codes(self, node: ast.AST) -> bool:
        texts = self.said(node)
        return bool(texts) and all(CODES.fullmatch(text) for text in texts)


def _assigned(tree: ast.Module) -> dict[str, list[str]]:
    """The texts of constants, also of such as are assigned side by side."""
    found: dict[str, list[str]] = {}
    for statement in tree.body:
        if not isinstance(statement, ast.Assign):
            continue
        for target in statement.targets:
            pairs = [(target, statement.value)]
            if isinstance(target, ast.Tuple) and isinstance(statement.value, ast.Tuple):
                pairs = list(zip(target.elts, statement.value.elts, strict=False))
            for name, value in pairs:
                if isinstance(name, ast.Name) and isinstance(value, ast.Constant | ast.Tuple | ast.List | ast.Set):
                    parts = [part.value for part in ast.walk(value) if isinstance(part, ast.Constant)]
                    found[name.id] = [part for part in parts if isinstance(part, str)]
    return found


def _constants(path: Path) -> dict[str, list[str]]:
    return _assigned(ast.parse(path.read_text())) if path.is_file() else {}


def _is_for_people(node: ast.AST) -> bool:
    """Whether an expression is what was said to people: a field of that name, or what was made of an error."""
    return any(_says(part) for part in ast.walk(node))


def _says(part: ast.AST) -> bool:
    match part:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name in FOR_PEOPLE
        case ast.Call(func=ast.Name(), args=given):
            return any(isinstance(one, ast.Name) and one.id in ERRORS for one in given)
    return False


def _decides(module: Module, node: ast.AST) -> bool:
    match node:
        case ast.Compare(ops=[ast.Eq() | ast.NotEq(), *_]):
            return module.is_prose(node)
        case ast.Compare(ops=[ast.In() | ast.NotIn(), *_], left=left, comparators=[within, *_]):
            return module.is_prose(node) or (_is_for_people(within) and not module.are_codes(left))
        case ast.Call(func=ast.Attribute(value=ast.Name(id="re"), attr=name), args=[pattern, *_]) if name in PATTERNS:
            return module.is_prose(pattern)
        case ast.Call(func=ast.Attribute(value=of, attr=name), args=[sought, *_]) if name in SEARCHES:
            return module.is_prose(sought) or (_is_for_people(of) and not module.are_codes(sought))
        case ast.MatchValue():
            return module.is_prose(node)
    return False


def of_python(text: str, root: Path = ROOT) -> Iterator[str]:
    """Each place that decides by a sentence; what is imported is looked up below ``root``."""
    module = Module(ast.parse(text), root)
    for node in ast.walk(module.tree):
        if _decides(module, node):
            yield f"line {getattr(node, 'lineno', '?')}: {ast.unparse(node)}"


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_decides_by_a_sentence(path: Path) -> None:
    assert list(of_python(path.read_text())) == []


@pytest.mark.parametrize(
    "line",
    [
        'ended = status.reason == "end of input"',
        'ENDS, STOPS = "end of input", "is stopped"\nended = status.reason == ENDS',
        'slow = verdict.reason.startswith("too slow")',
        'slow = verdict.reason.startswith("slow")',
        'wrong = "password" in str(error)',
        'listed = "registered" not in said(error).lower()',
        'wrong = any(word in str(error) for word in ("premium", "scope"))',
        'name = str(error).partition(":")[0]',
        'forbidden = "group video" in fault',
        'found = re.search("Same (.+) and (.+)", text)',
        'match status:\n    case "end of input":\n        pass',
    ],
)
def test_a_module_that_does_is_found(line: str) -> None:
    assert list(of_python(line)) != []


def test_a_sentence_behind_an_imported_name_is_found(tmp_path: Path) -> None:
    (tmp_path / "other.py").write_text('END = "No more songs."\nSTATE = "ready"\n')
    assert list(of_python("from other import END as OVER\nover = playback.text == OVER", tmp_path)) != []
    assert list(of_python("from other import STATE\nready = playback.state == STATE", tmp_path)) == []


@pytest.mark.parametrize(
    "line",
    [
        'forced = mood.reason == "forced"',
        "ended = status.code == StatusCode.END_OF_INPUT",
        'taken = str(error).startswith("WRONGTYPE")',
        'taken = "BUSYGROUP" not in str(error)',
        'line = " ".join(str(error).split())',
        'raise MoodstreamError("the site is closed")',
        'day = re.compile(r"\\d{4}-\\d\\d-\\d\\d")',
    ],
)
def test_a_module_that_compares_codes_or_only_speaks_is_not(line: str) -> None:
    assert list(of_python(line)) == []


# JavaScript

LITERAL = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)
      | (?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)
      | (?P<pattern>(?<=[(,=:\[!&|?{};+>\s])/(?![/*\s])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/[a-z]*)""",
    re.VERBOSE | re.DOTALL,
)
EQUAL = r"(?:[!=]==?)"
CALLS = r"\??\.(?:includes|startsWith|endsWith|indexOf|lastIndexOf|search|match|matchAll|split|replace|replaceAll)\("
SAID = r"\.(?:reason|message|detail|advice|hint|error)\b"
DECIDES = re.compile(
    rf"""{EQUAL}\s*<words> | <words>\s*{EQUAL} | \bcase\s*<words> | <words>{CALLS} | {CALLS}\s*<words>
       | \[[^\[\]]*<words>[^\[\]]*\]{CALLS} | {SAID}[\s)]*{CALLS} | {SAID}\s*\?\?\s*<none>[\s)]*{CALLS}
       | \.(?:test|exec)\([^()]*{SAID}""",
    re.VERBOSE,
)


def of_javascript(text: str) -> list[str]:
    """Each place that decides by a sentence: patterns of words, and comparisons with words or in what was said."""
    found: list[str] = []

    def shortened(literal: re.Match[str]) -> str:
        if literal["comment"]:
            return " "
        if literal["pattern"]:
            found.extend([literal[0]] if WORDS.search(literal[0]) else [])
            return "<pattern>"
        return "<words>" if WORDS.search(literal[0]) else "<none>"

    code = LITERAL.sub(shortened, text)
    return found + [match[0] for match in DECIDES.finditer(code)]


@pytest.mark.parametrize("path", JAVASCRIPT, ids=lambda path: path.name)
def test_no_script_decides_by_a_sentence(path: Path) -> None:
    assert of_javascript(path.read_text("utf-8")) == []


def test_there_are_scripts_and_their_patterns_are_seen() -> None:
    assert len(JAVASCRIPT) >= 14
    player = next(path for path in JAVASCRIPT if path.name == "player.js").read_text("utf-8")
    assert [match[0] for match in LITERAL.finditer(player) if match["pattern"]] == [
        "/^spotify:track:([A-Za-z0-9]+)$/",
        r"/^file:(?:\/\/localhost)?\/*(.+)$/",
        r"/^https?:\/\//",
        r"/^music\//",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "const REASON = /^(Same|Nearest in) (.+?),? (?:and (alike) in all else|(a little) (.+))\\.$/;",
        "const text = /^drawn face/.test(word) ? 1 : 2;",
        'const stands = /^(drawn|simulated)/.test(status?.reason ?? "");',
        'const stands = status.reason.startsWith("drawn");',
        'const stands = (status?.reason ?? "").includes("drawn");',
        'if (said === "the site is closed") rest();',
        'switch (said) { case "end of input": break; }',
        'const over = ["end of input", "stopped"].includes(said);',
        'const over = said.endsWith("of input");',
        'const late = refusal.message?.match("quota");',
        "const late = `too many requests` === said;",
    ],
)
def test_a_script_that_does_is_found(line: str) -> None:
    assert of_javascript(line) != []


@pytest.mark.parametrize(
    "line",
    [
        'const chosen = event.reason === "forced";',
        'const stands = ["drawn", "simulated"].includes(status?.code);',
        "const track = song.uri?.match(/^spotify:track:([A-Za-z0-9]+)$/)?.[1];",
        'find("#said").textContent = `That did not work: ${error.message}`;',
        "const half = (width - left) / 2 / most; // a part of it, as seen / drawn",
        'const state = playback?.state.replaceAll("_", " ");',
    ],
)
def test_a_script_that_compares_codes_or_only_speaks_is_not(line: str) -> None:
    assert of_javascript(line) == []
