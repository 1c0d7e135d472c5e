"""What every file of the repository keeps to."""

import re
from pathlib import Path

import pytest

from tests.architecture.repository import files, name

LONGEST_FILE = 400
WRITTEN_BY_HAND = {".py", ".md", ".yml", ".yaml", ".toml", ".sh", ".js"}
# Written in parts, so that this file does not hold what it looks for.
HOMES = ("root", "home", "Users", "work")
MACHINE_PATH = re.compile(rf"(?<![\w.:/-])/(?:{'|'.join(HOMES)})/\w+")
REGISTRIES = [
    ".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("npmjs", "com"))
]


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except UnicodeDecodeError:
        return ""


def test_there_are_files_to_look_at() -> None:
    assert {"README.md", "pyproject.toml", "taskw"} <= {name(path) for path in files()}


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    found = {name(path): match[0] for path in files() if (match := MACHINE_PATH.search(_text(path)))}

    assert found == {}


@pytest.mark.parametrize("host", REGISTRIES)
def test_no_file_names_a_registry(host: str) -> None:
    assert [name(path) for path in files() if host in _text(path)] == []


def test_files_written_by_hand_are_short() -> None:
    lengths = {name(path): len(_text(path).splitlines()) for path in files() if path.suffix in WRITTEN_BY_HAND}

    assert {path: lines for path, lines in lengths.items() if lines >= LONGEST_FILE} == {}


def test_folders_of_code_are_packages() -> None:
    folders = {path.parent for path in files() if path.suffix == ".py"}

    assert [name(folder) for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []
