"""The demo as a person runs it: a process of its own, with servers of its own."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from infra.local.processes import ROOT
from tests.support.duration import only_when_long

EXAMPLES = ROOT / "contracts" / "schemas" / "examples"
TIMEOUT_SECONDS = 110


@pytest.fixture
def folder(server_folder: Path) -> Path:
    return Path(tempfile.mkdtemp(prefix="demo-", dir=server_folder))


def _demo(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # Not on given servers: other tests use them, and the demo has a gate of its own.
    environment = {**os.environ, "DATA_DIR": str(folder), "NATS_URL": "", "MONGODB_URL": "", "OPENAI_API_KEY": ""}
    command = [sys.executable, "-m", "infra.demo", *arguments]
    return subprocess.run(
        command, check=False, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=TIMEOUT_SECONDS
    )


def _recording(folder: Path, *lines: str) -> str:
    path = folder / "events.jsonl"
    path.write_text("\n".join(lines))
    return str(path)


def _example(type_: str) -> str:
    return " ".join((EXAMPLES / f"{type_}.v1.json").read_text().split())


def test_the_sample_day_ends_well(folder: Path) -> None:
    ended = _demo(folder)

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "rule-based, no AI" in ended.stdout
    assert "docs_memory_reviewer skipped by project" in ended.stdout
    assert "chat_memory_reviewer skipped by user" in ended.stdout
    assert "operating_pulse completed" in ended.stdout
    assert "roadmap_proposal_generator completed" in ended.stdout
    assert "ticket_conflict_scanner completed" in ended.stdout
    assert "mara.lindt approves: user memory" in ended.stdout
    assert re.search(r"Memory block '\w+' of user mara\.lindt: version 1", ended.stdout)
    assert re.search(r"3 +approved, rebased +Until Friday: Working on the wallet screen", ended.stdout)
    assert re.search(r"4 +undone +Until Friday: Working on the offline cache", ended.stdout)
    assert re.search(r"now +mobile-app +schedule.fired +ticket_conflict_scanner completed", ended.stdout)
    assert re.search(r"continued when job build-1182 had ended.*has failed with exit code 1", ended.stdout, re.DOTALL)
    assert re.search(r'"Ticket wallet"\s+says:', ended.stdout)
    assert re.search(r"proposals +\d+ .*roadmap item.*", ended.stdout)
    assert re.search(r"duplicates +4 ", ended.stdout)


@only_when_long
def test_own_events_are_played(folder: Path) -> None:
    path = _recording(folder, _example("member.joined"), _example("checkin.submitted"), _example("checkin.submitted"))

    ended = _demo(folder, path)

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert re.search(r"events +2 ", ended.stdout)
    assert re.search(r"duplicates +1 ", ended.stdout)
    assert "today_checkin_processor completed" in ended.stdout


def test_a_bad_line_is_named_before_anything_starts(folder: Path) -> None:
    bad = _example("checkin.submitted").replace('"mood"', '"moood"')

    ended = _demo(folder, _recording(folder, _example("member.joined"), bad))

    assert ended.returncode == 2
    assert "line 2, data.moood: 'data.moood' is not a field" in ended.stderr
    assert not (folder / "demo").exists()
