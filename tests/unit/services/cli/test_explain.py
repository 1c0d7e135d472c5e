"""What `towpath events explain` and `towpath agents explain` ask and print."""

import pytest

from tests.unit.services.cli.test_commands import Desk, Document, desk

__all__ = ["desk"]

EVENT: Document = {
    "event": {
        "id": "edit-1",
        "key": "ev_1",
        "type": "doc.updated",
        "project": "apollo",
        "user": "ada",
        "accepted_at": "2026-11-20T09:00:00Z",
        "decided_at": None,
    },
    "summary": "1 waiting run took it.",
    "decisions": [
        {
            "decision": {
                "agent_key": "reviewer",
                "outcome": "coalesced",
                "reason": "debounce",
                "run_id": "run_7",
                "explanation": "reviewer takes it up in its run run_7.",
            },
            "words": ["Run run_7 is queued."],
            "proposals": [{"id": "prp_1"}],
        }
    ],
}
AGENT: Document = {
    "summary": "pulse starts no runs: the binding of project apollo disables it.",
    "details": ["The binding of project apollo, set by olga at 2026-11-20 09:00:00 UTC, disables it."],
    "effective": {
        "values": {
            "enabled": {"value": False, "decided_by": {"scope": "project", "scope_id": "apollo"}},
            "call_mode": {"value": None, "decided_by": None},
        }
    },
    "schedules": [
        {
            "text": "every 900 s",
            "member": {"project": "apollo", "user": "ada"},
            "last_fire": None,
            "next_fires": [{"fires_at": "2026-11-20T09:15:00Z"}],
        }
    ],
}


def test_an_event_is_explained_decision_by_decision(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.tell(EVENT)

    code = desk.towpath("events", "explain", "edit-1", "--source", "/product")

    printed = capsys.readouterr().out
    assert (code, str(desk.asked[0].url)) == (0, "http://gateway/api/events/edit-1/explain?source=%2Fproduct")
    assert printed.startswith("1 waiting run took it.")
    assert next(line.split() for line in printed.splitlines() if line.startswith("reviewer ")) == [
        "reviewer", "coalesced", "debounce", "run_7", "1",
    ]  # fmt: skip
    assert "reviewer takes it up in its run run_7.\n  - Run run_7 is queued." in printed


def test_an_agent_is_explained_with_its_values_and_schedules(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.tell(AGENT)

    code = desk.towpath("agents", "explain", "pulse", "--project", "apollo", "--user", "ada")

    printed = capsys.readouterr().out
    assert (code, str(desk.asked[0].url)) == (0, "http://gateway/api/agents/pulse/explain?project=apollo&user=ada")
    assert "  - The binding of project apollo, set by olga at 2026-11-20 09:00:00 UTC, disables it." in printed
    rows = [line.split() for line in printed.splitlines()]
    assert ["enabled", "False", "project", "apollo"] in rows
    assert ["every", "900", "s", "apollo", "ada", "2026-11-20", "09:15:00"] in rows


@pytest.mark.parametrize(
    ("arguments", "answer"), [(("events", "explain", "a"), EVENT), (("agents", "explain", "a"), AGENT)]
)
def test_programs_get_what_the_gateway_answered(
    desk: Desk, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], answer: Document
) -> None:
    desk.tell(answer)

    assert desk.towpath(*arguments, "--json") == 0
    assert f'"summary": "{answer["summary"]}"' in capsys.readouterr().out
