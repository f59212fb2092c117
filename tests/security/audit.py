"""``make audit``: known faults in what we depend on, dangerous code, secrets that were left in a file.

What is found is mended, or excused with a reason in ``audit.toml``; an excuse that excuses nothing is a finding too.
"""

import json
import math
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXCUSES = Path(__file__).with_name("audit.toml")
CODE = ("moodstream", "services", "shared", "training")
MAX_BYTES = 2_000_000

SECRETS = {
    "private key": re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----"),
    "token of a known kind": re.compile(
        r"\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_\w{36}|glpat-[\w-]{20}|xox[abprs]-[\w-]{10,}|sk_live_\w{20,}|AIza[\w-]{35}"
        r"|whsec_[A-Za-z0-9+/]{32,}|eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,})"
    ),
    "password in an address": re.compile(
        r"(?i)[a-z]+://[^\s:/@'\"{}<>$]+:(?!\*+@|password@|secret@)[^\s:/@'\"{}<>$]{3,}@[\w.-]+"
    ),
    "secret in an assignment": re.compile(
        r"(?i)\b\w*(?:password|passwd|secret|token|api_?key)\w*[\"']?\s*[:=]\s*[\"']([A-Za-z0-9+/_.=-]{16,})[\"']"
    ),
}
MIN_ENTROPY = 3.5
"""Bits a character; words and names have fewer."""


@dataclass(frozen=True)
class Finding:
    tool: str
    id: str
    where: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.tool} {self.id} {self.where}:{self.line}: {self.text}"


def files() -> Iterator[str]:
    """Those that git knows."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    yield from listed.splitlines()


def secrets(names: Iterator[str] | list[str], root: Path = ROOT) -> Iterator[Finding]:
    """What looks like a secret in text files; hashes of packages are none."""
    for name in names:
        file = root / name
        if name.startswith("requirements/") or not file.is_file() or file.stat().st_size > MAX_BYTES:
            continue
        try:
            lines = file.read_text().splitlines()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(lines, 1):
            for kind, pattern in SECRETS.items():
                for found in pattern.finditer(line):
                    if found.groups() and entropy(found[1]) < MIN_ENTROPY:
                        continue
                    yield Finding("secrets", kind, name, number, f"{found[0][:12]}...")


def entropy(text: str) -> float:
    """Bits a character."""
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())


def bandit() -> Iterator[Finding]:
    """Dangerous code."""
    command = [sys.executable, "-m", "bandit", "--quiet", "--recursive", "--format", "json", *CODE]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    for one in json.loads(done.stdout)["results"]:
        yield Finding("bandit", one["test_id"], one["filename"], one["line_number"], one["issue_text"])


def packages() -> Iterator[Finding]:
    """Known faults of the pinned packages; says so where nobody could be asked."""
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--progress-spinner", "off", "--format", "json"]
    command += ["--requirement", "requirements/constraints.txt", "--no-deps"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    try:
        told = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        told = []
    asked = [one for one in told if "skip_reason" not in one]
    print(f"pip-audit: {len(asked)} of {len(told)} packages could be asked about")
    if not asked:
        reason = next((one["skip_reason"] for one in told), "") or (done.stderr.strip().splitlines() or ["?"])[-1]
        print(f"pip-audit: the list of known faults cannot be reached from here, so nothing is said of them: {reason}")
    for one in asked:
        for fault in one["vulns"]:
            yield Finding("pip-audit", fault["id"], one["name"], 0, f"{one['version']}: {fault['description'][:100]}")


def judged(found: list[Finding], tools: set[str]) -> list[str]:
    """What nobody has excused, and excuses that nobody needs."""
    excuses = [one for one in tomllib.loads(EXCUSES.read_text())["excused"] if one["tool"] in tools]
    used: set[int] = set()
    faults = []
    for one in found:
        for number, excuse in enumerate(excuses):
            if excuse["id"] == one.id and fnmatch(one.where, excuse["where"]):
                used.add(number)
                break
        else:
            faults.append(str(one))
    idle = [excuse for number, excuse in enumerate(excuses) if number not in used]
    return faults + [f"an excuse for nothing: {one['tool']} {one['id']} {one['where']}" for one in idle]


def main() -> int:
    """All three; 1 when something was found."""
    faults = judged([*secrets(files()), *bandit()], {"secrets", "bandit"})
    faults += [str(one) for one in packages()]
    for fault in faults:
        print(fault)
    print(f"{len(faults)} findings")
    return min(1, len(faults))


if __name__ == "__main__":
    sys.exit(main())
