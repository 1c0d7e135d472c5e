"""The command that examines a database: what it prints, and how it exits."""

import subprocess
import sys
from typing import Any

import orjson

from infra.doctor import CLEAN, UNREACHABLE, VIOLATED
from infra.local.processes import ROOT
from shared.doctor.checks import CHECKS, LIGHT
from shared.store.mongo import Mongo
from tests.integration.doctor.given import OLD, changed, fill
from tests.integration.store.conftest import mongo
from tests.support.servers import RunningServer

__all__ = ["mongo"]


def examined(url: str, database: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "infra.doctor", *arguments],
        cwd=ROOT,
        env={"MONGODB_URL": url, "MONGODB_DATABASE": database, "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def test_a_clean_database_is_said_to_be_clean(
    mongo: Mongo, mongo_server: RunningServer, mongo_database: str
) -> None:
    await fill(mongo)

    said = examined(mongo_server.url, mongo_database, "--json")

    diagnosis: dict[str, Any] = orjson.loads(said.stdout)
    assert (said.returncode, said.stderr) == (CLEAN, "")
    assert diagnosis["is_clean"]
    assert diagnosis["checks"] == {check.name: {"violations": 0, "ids": []} for check in CHECKS}


async def test_what_is_broken_is_in_the_table(mongo: Mongo, mongo_server: RunningServer, mongo_database: str) -> None:
    await fill(mongo)
    await changed("runs", "queued", sweep_at=OLD)(mongo)

    said = examined(mongo_server.url, mongo_database, "--light")

    lines = {line.split()[0]: line.split()[-2:] for line in said.stdout.splitlines() if line.split()}
    assert said.returncode == VIOLATED
    assert lines["run_overdue"] == ["1", "queued"]
    assert {check.name for check in LIGHT} <= lines.keys()


def test_a_database_that_does_not_answer_is_named() -> None:
    said = examined("mongodb://127.0.0.1:1/?replicaSet=none", "towpath", MONGODB_TIMEOUT_SECONDS="0.5")

    assert said.returncode == UNREACHABLE
    assert "MONGODB_URL" in said.stderr
