"""The repository as these tests read it: its files, its pages, its syntax trees."""

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from infra.local.processes import ROOT

CODE = ("contracts", "shared", "services", "infra")


@cache
def files() -> tuple[Path, ...]:
    """Return every file that is, or would be, committed."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return tuple(path for name in listed.split("\0") if name and (path := ROOT / name).is_file())


def name(path: Path) -> str:
    """Return the path from the root of the repository."""
    return path.relative_to(ROOT).as_posix()


def pages() -> list[Path]:
    """Return every page of the documentation."""
    return [path for path in files() if path.suffix == ".md"]


def page(path: str) -> str:
    """Return the text of one page."""
    return (ROOT / path).read_text()


def everything_written() -> str:
    """Return the text of all pages."""
    return "\n".join(path.read_text() for path in pages())


def quoted(text: str) -> set[str]:
    """Return everything that stands between single backticks, outside blocks of code."""
    return set(re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL)))


def first_cells(text: str) -> Iterator[str]:
    """Yield what is quoted in the first column of each row of the tables in a text."""
    for row in re.findall(r"^\| *(`.*?) *\|", text, re.MULTILINE):
        yield from re.findall(r"`([^`]+)`", row)


def section(text: str, heading: str) -> str:
    """Return what stands between a heading and the next one of any level."""
    _, found, rest = text.partition(f"\n{heading}\n")
    assert found, f"there is no heading {heading}"
    return re.split(r"^#+ ", rest, maxsplit=1, flags=re.MULTILINE)[0]


@cache
def syntax_trees() -> dict[str, ast.Module]:
    """Return the syntax tree of every module of the product."""
    modules = [path for path in files() if path.suffix == ".py" and name(path).split("/")[0] in CODE]
    return {name(path): ast.parse(path.read_text()) for path in modules}
