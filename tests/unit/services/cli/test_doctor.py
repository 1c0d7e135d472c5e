"""`towpath doctor`: what it makes of the probe and the figures."""

import json
from datetime import datetime
from typing import Any

import httpx2
import pytest

from services.cli.doctor import readiness, soundness
from services.gateway.metrics import Snapshot, Stored, exposition
from shared.clock import utc_now
from shared.store.metrics import Violations
from tests.unit.services.cli.test_commands import Answer, Desk, desk

__all__ = ["desk"]

NOW = utc_now()
READY: dict[str, Any] = {"status": "ok", "checks": {"mongodb": "ok", "nats": "ok"}}


def figures(
    violations: dict[str, int] | None = None,
    letters: dict[tuple[str, str], int] | None = None,
    *,
    is_up: bool = True,
    at: datetime = NOW,
) -> str:
    """Return the figures as the gateway tells them; without violations nothing was checked."""
    checked = None if violations is None else Violations(at, violations)
    stored = Stored(dead_letters=letters or {}, violations=checked)
    return exposition(Snapshot(stored if is_up else None, {})).decode()


def wrong(metrics: str, later_seconds: float = 1) -> list[str]:
    return [each.about for each in soundness(metrics, NOW.timestamp() + later_seconds) if not each.is_well]


def test_a_sound_installation_is_well_however_many_letters_wait() -> None:
    metrics = figures({"lost runs": 0}, {("run", "open"): 3, ("event", "open"): 1, ("run", "discarded"): 5})

    *_, letters = soundness(metrics, NOW.timestamp())

    assert wrong(metrics) == []
    assert letters.detail == "4 wait for a decision: towpath dead-letters list"


def test_violations_are_wrong_by_their_names() -> None:
    assert wrong(figures({"lost runs": 2, "other": 0})) == ["lost runs"]


@pytest.mark.parametrize(
    ("metrics", "later_seconds"),
    [(figures(), 1), (figures({}), 301), (figures({}, is_up=False), 1), ("", 1)],
    ids=["never", "long ago", "no server", "no figures"],
)
def test_what_was_not_checked_lately_is_not_taken_for_sound(metrics: str, later_seconds: float) -> None:
    assert wrong(metrics, later_seconds) == ["invariants"]


def test_a_server_that_is_away_is_wrong() -> None:
    findings = {each.about: each for each in readiness({"checks": {"mongodb": "ok", "nats": "unreachable"}})}

    assert (findings["mongodb"].is_well, findings["nats"].is_well) == (True, False)
    assert "unreachable" in findings["nats"].detail


def told(metrics: str) -> Answer:
    return lambda _: httpx2.Response(200, text=metrics)


@pytest.mark.parametrize(("violations", "exit_code"), [({"lost runs": 0}, 0), ({"lost runs": 1}, 1)])
def test_the_exit_code_says_whether_it_is_well(
    desk: Desk, capsys: pytest.CaptureFixture[str], violations: dict[str, int], exit_code: int
) -> None:
    metrics = told(figures(violations, at=utc_now()))
    desk.tell(READY, metrics, READY, metrics)

    assert desk.towpath("doctor") == exit_code
    printed = capsys.readouterr().out
    assert desk.towpath("doctor", "--json") == exit_code

    assert [request.url.path for request in desk.asked[:2]] == ["/health/ready", "/metrics"]
    assert ("wrong" in printed) == bool(exit_code)
    assert json.loads(capsys.readouterr().out)["well"] == (exit_code == 0)


def test_a_gateway_without_mongodb_still_says_what_is_wrong(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    away = {"status": "unavailable", "checks": {"mongodb": "MongoDB does not answer.", "nats": "ok"}}
    desk.tell(lambda _: httpx2.Response(503, json=away), told(figures({}, is_up=False)))

    assert desk.towpath("doctor") == 1
    assert "MongoDB does not answer." in capsys.readouterr().out


def test_a_website_is_no_gateway(desk: Desk) -> None:
    desk.tell(lambda _: httpx2.Response(200, text="<html>"))

    assert desk.towpath("doctor") == 3
