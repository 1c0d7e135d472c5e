"""What a model says of pairs, and what of it counts."""

from typing import Any

import orjson
import pytest

from services.runner.agents.ticket_scan.findings import Verdict
from services.runner.agents.ticket_scan.judging import read_judgements, shown_pack
from services.runner.agents.ticket_scan.packing import Pack, packs
from tests.unit.services.runner.agents.ticket_scan.given import tickets_of

TICKETS = tickets_of(1, 2, 3)
(PACK,) = packs([("T-1", "T-2"), ("T-2", "T-3")], lambda _: 1)


def said(pair: Any, verdict: str = "neither") -> dict[str, Any]:
    return {"pair": pair, "verdict": verdict, "reasoning": "so", "confidence": "high"}


def read(*judgements: Any, pack: Pack = PACK) -> tuple[list[tuple[Any, Verdict]], list[str]]:
    found, faults = read_judgements(orjson.dumps({"judgements": judgements}).decode(), pack)
    return [(each.pair, each.verdict) for each in found], faults


def test_a_ticket_is_shown_once_and_pairs_by_number() -> None:
    shown = shown_pack(PACK, TICKETS)

    assert [each["ticket_id"] for each in shown["tickets"]] == ["T-1", "T-2", "T-3"]
    assert shown["pairs"] == [{"pair": 1, "tickets": ["T-1", "T-2"]}, {"pair": 2, "tickets": ["T-2", "T-3"]}]


def test_every_pair_has_the_verdict_that_was_said_first() -> None:
    found, faults = read(said(2, "conflict"), said(1), said(2))

    assert found == [(("T-1", "T-2"), Verdict.NEITHER), (("T-2", "T-3"), Verdict.CONFLICT)]
    assert faults == []


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        (said(3), "there is no pair 3"),
        (said(2, "maybe"), "judgements.1"),
        ("two", "judgements.1"),
        (said(1), "pairs 2"),
    ],
)
def test_what_is_right_counts_beside_what_is_wrong(wrong: Any, fault: str) -> None:
    found, faults = read(said(1, "duplicate"), wrong)

    assert found == [(("T-1", "T-2"), Verdict.DUPLICATE)]
    assert any(fault in each for each in faults)
    assert "judgements lacks the pairs 2" in faults


@pytest.mark.parametrize("answer", ["", "[]", '{"judgements": 1}', "no JSON"])
def test_an_answer_of_another_shape_says_nothing(answer: str) -> None:
    found, (fault,) = read_judgements(answer, PACK)

    assert found == []
    assert "judgements" in fault
