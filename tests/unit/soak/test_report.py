"""What is said about the weeks."""

import io
from collections import Counter

import orjson
from rich.console import Console

from infra.soak.calendar import Calendar
from infra.soak.events import Kind as LoadKind
from infra.soak.figures import Kind, Quantity, judge
from infra.soak.report import Weeks, as_json, as_tables

RUNS = Quantity(Kind.DOCUMENTS, "runs")
CALENDAR = Calendar(days=4, day_seconds=5.0, history_days=1.0)


def weeks(*counts: float, **violations: list[str]) -> Weeks:
    days = [{RUNS: count} for count in counts]
    return Weeks(CALENDAR, days, Counter({LoadKind.QUICK: 7}), judge(days, 0.1), violations)


def printed(seen: Weeks) -> str:
    said = io.StringIO()
    Console(file=said, width=120).print(as_tables(seen))
    return said.getvalue()


def test_what_stays_level_is_bounded() -> None:
    text = printed(weeks(1_000, 1_001, 1_002, 1_003))

    assert "1,001 / 1,003" in text
    assert text.splitlines()[-1].strip() == "bounded"


def test_what_grows_is_named() -> None:
    assert "runs grows: documents\nnot bounded" in printed(weeks(1_000, 2_000, 3_000, 4_000))


def test_what_the_doctor_finds_is_named() -> None:
    assert "run_repeated: run-1\nnot bounded" in printed(weeks(1, 1, 1, 1, run_repeated=["run-1"]))


def test_programs_read_every_day() -> None:
    read = orjson.loads(orjson.dumps(as_json(weeks(1_000, 1_001, 1_002, 1_003))))

    assert read["load"] == {"quick": 7}
    assert read["quantities"] == [
        {"kind": "documents", "name": "runs", "days": [1_000, 1_001, 1_002, 1_003], "is_bounded": True}
    ]
