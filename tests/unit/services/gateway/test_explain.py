"""Each state of a run in words."""

from datetime import timedelta
from typing import Any

import pytest

from services.gateway.explain import Surroundings, explain
from shared.domain.run import RunStatus, Waiting
from shared.store.run_documents import waiting_document
from tests.unit.shared.given import LATER, NOW, a_memory_effect, a_stored_run

AT = Surroundings(NOW + timedelta(seconds=90), runners=2)
ASKED: dict[str, Any] = {"requested_at": NOW, "requested_by": "olga", "reason": None}
FAILED = {"error": {"code": "model_unavailable", "detail": "It hung up."}}


def waiting(what: Waiting, detail: str = "", **changes: Any) -> dict[str, Any]:
    return a_stored_run(waiting_for=waiting_document(what, NOW, detail=detail, **changes))


WAITS: dict[Waiting, tuple[dict[str, Any], str]] = {
    Waiting.DELAY: (
        waiting(Waiting.DELAY, until=LATER),
        "Its trigger asks for a delay; it starts at 2026-11-20 09:00:07 UTC.",
    ),
    Waiting.DEBOUNCE: (
        waiting(Waiting.DEBOUNCE, until=LATER) | {"gathering": {"events": ["ev_1", "ev_2"]}},
        "It has taken 2 events and waits for more about its target; it starts at 2026-11-20 09:00:07 UTC unless one comes.",
    ),
    Waiting.RETRY: (
        waiting(Waiting.RETRY, until=LATER) | FAILED,
        "Its last attempt failed, and the next one starts at 2026-11-20 09:00:07 UTC. It hung up. (model_unavailable)",
    ),
    Waiting.DECISION: (
        waiting(Waiting.DECISION, until=LATER),
        "The gate has not recorded its decision yet; it is looked at again at 2026-11-20 09:00:07 UTC.",
    ),
    Waiting.PROVIDER: (
        waiting(Waiting.PROVIDER, "Rate limit {reached}.", until=LATER),
        "The model provider has no room for now; it is tried again at 2026-11-20 09:00:07 UTC. Rate limit {reached}.",
    ),
    Waiting.PAUSED: (
        waiting(Waiting.PAUSED, "paused at project", key="slot_1"),
        "Agent noter is paused at project; it starts when nothing pauses it any more.",
    ),
    Waiting.SESSION: (
        waiting(Waiting.SESSION, "turn turn-2 of chat-1", key="ses_1"),
        "Somebody else is writing into its session (turn turn-2 of chat-1); it starts when that turn has ended.",
    ),
    Waiting.TARGET: (
        waiting(Waiting.TARGET, "noter on doc plan", key="slot_1"),
        "Another run works on its target (noter on doc plan); it starts when that one has ended.",
    ),
    Waiting.AGENT: (
        waiting(Waiting.AGENT, "noter of acme", key="slot_1"),
        "noter of acme has as many runs at a time as max_concurrent_tasks allows; it starts when one has ended.",
    ),
    Waiting.ORGANISATION: (
        waiting(Waiting.ORGANISATION, "acme", key="slot_1"),
        "Organisation acme has its full number of open runs; this one waits for its turn.",
    ),
    Waiting.CHILDREN: (waiting(Waiting.CHILDREN, "2 of 3 users are done"), "It is a batch: 2 of 3 users are done."),
    Waiting.SERVER: (
        waiting(Waiting.SERVER, "all runners", key="slot_1"),
        "As many runs as AI_QUEUE_MAX_CONCURRENCY allows are under way; it starts when one has ended.",
    ),
}


@pytest.mark.parametrize("what", Waiting)
def test_a_waiting_run_says_what_for(what: Waiting) -> None:
    run, sentence = WAITS[what]

    assert explain(run, AT).summary == sentence


STATES: dict[str, tuple[dict[str, Any], Surroundings, str]] = {
    "dispatched": (
        a_stored_run(),
        AT,
        "It has been dispatched for 90.0 s in lane medium; it starts when one of 2 runners has a free slot.",
    ),
    "no runner": (
        a_stored_run(),
        Surroundings(NOW + timedelta(minutes=5)),
        "It has been dispatched for 5 min, and no runner is at work: start one.",
    ),
    "left behind": (
        a_stored_run(cancel=ASKED),
        AT,
        "It is to be cancelled; a runner sees to what its lost runner left open at the provider.",
    ),
    "running": (a_stored_run(RunStatus.RUNNING), AT, "It is running for 90.0 s, in attempt 1."),
    "cancelling": (
        a_stored_run(RunStatus.RUNNING, cancel=ASKED),
        AT,
        "It is being cancelled since 2026-11-20 09:00:00 UTC; its runner has not confirmed yet.",
    ),
    "completed": (
        a_stored_run(
            RunStatus.COMPLETED, effects=[a_memory_effect(), a_memory_effect(1) | {"dropped": "It is there already."}]
        ),
        AT,
        "It completed at 2026-11-20 09:00:07 UTC and asks for 1 change.",
    ),
    "failed": (
        a_stored_run(RunStatus.FAILED),
        AT,
        "It failed at 2026-11-20 09:00:07 UTC: The model declined. (model_refused)",
    ),
    "refused": (
        a_stored_run(RunStatus.CANCELLED, error={"code": "agent_disabled", "detail": "noter is disabled."}),
        AT,
        "It was cancelled at 2026-11-20 09:00:07 UTC: noter is disabled. (agent_disabled)",
    ),
    "cancelled": (
        a_stored_run(RunStatus.CANCELLED, cancel=ASKED | {"reason": "Too dear"}),
        AT,
        "It was cancelled at 2026-11-20 09:00:07 UTC: olga asked for it at 2026-11-20 09:00:00 UTC (Too dear).",
    ),
    "cancelled while running": (
        a_stored_run(
            RunStatus.CANCELLED,
            cancel=ASKED,
            spent_after_cancel={"input_tokens": 3, "output_tokens": 4, "model_calls": 1},
        ),
        AT,
        (
            "It was cancelled at 2026-11-20 09:00:07 UTC:"
            " olga asked for it at 2026-11-20 09:00:00 UTC. After that it used 7 tokens."
        ),
    ),
}


@pytest.mark.parametrize("state", STATES)
def test_a_run_says_why_it_is_where_it_is(state: str) -> None:
    run, around, sentence = STATES[state]

    assert explain(run, around).summary == sentence


def test_who_waits_for_a_place_is_told_its_position() -> None:
    run, _ = WAITS[Waiting.AGENT]

    assert (
        "Position 3 among those that wait for the same, for 90.0 s."
        in explain(run, Surroundings(AT.now, ahead=2)).details
    )
    assert not any("Position" in detail for detail in explain(run, AT).details)


def test_attempts_lost_runners_and_redrives_are_counted() -> None:
    run = a_stored_run(RunStatus.RUNNING, attempt=4, losses=2, redriven=1)

    assert explain(run, AT).details == (
        "Agent noter, version 1, queued at 2026-11-20 09:00:00 UTC.",
        "It has had 4 attempts; 2 of them lost their runner.",
        "It was redriven 1 time.",
    )


@pytest.mark.parametrize(
    ("status", "where"),
    [
        (RunStatus.COMPLETED, ["/api/agent-runs/run_1", "/api/proposals?run_id=run_1"]),
        (RunStatus.FAILED, ["/api/dead-letters/run_1"]),
    ],
)
def test_a_run_that_has_ended_says_where_to_go_on(status: RunStatus, where: list[str]) -> None:
    said = " ".join(explain(a_stored_run(status), AT).details)

    assert all(path in said for path in where)
