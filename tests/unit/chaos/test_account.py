from dataclasses import replace

import pytest

from infra.chaos.account import Account, Seen, SeenCall, SeenEffect, SeenRun, account_of

ACCEPTED = {"event-1": "room1", "event-2": None}
SOUND = Seen(
    events=frozenset(ACCEPTED),
    undecided=0,
    runs=[SeenRun("run-1", "event-1", "completed", 2), SeenRun("run-2", "event-2", "completed", 1)],
    effects=[SeenEffect("run-1", '{"value":"meetings in room room1."}')],
    calls=[SeenCall("run-1", 1), SeenCall("run-1", 2)],
    answered={"run-1": [2]},
)


def _run_2(**changes: object) -> list[SeenRun]:
    return [SOUND.runs[0], replace(SOUND.runs[1], **changes)]  # type: ignore[arg-type]  # fields of each test


def test_what_came_of_sound_work_is_counted_and_nothing_is_wrong() -> None:
    account = account_of(ACCEPTED, SOUND)

    assert account == Account(accepted=2, runs=2, attempts=3, calls=2, calls_repeated=1, effects=1)
    assert account.violations() == []
    assert account.lost == 0


@pytest.mark.parametrize(
    ("seen", "violation"),
    [
        (replace(SOUND, events=frozenset(["event-1"]), runs=SOUND.runs[:1]), "1 accepted events are not in the"),
        (replace(SOUND, runs=SOUND.runs[:1]), "1 accepted events have no run"),
        (replace(SOUND, effects=[]), "1 completed runs lack their effect"),
        (replace(SOUND, effects=[SeenEffect("run-1", "room11")]), "1 completed runs lack their effect"),
        (replace(SOUND, runs=[*SOUND.runs, SeenRun("run-3", "event-2", "completed", 1)]), "1 events have more than"),
        (replace(SOUND, effects=[*SOUND.effects, *SOUND.effects]), "1 effects are there twice"),
        (replace(SOUND, answered={"run-1": [1]}), "1 model calls were made although their answer"),
        (replace(SOUND, undecided=1), "1 events or runs are stuck"),
        (replace(SOUND, runs=_run_2(status="running")), "1 events or runs are stuck"),
        (replace(SOUND, runs=_run_2(status="queued")), "1 events or runs are stuck"),
        (replace(SOUND, runs=_run_2(status="failed", error="runner_lost")), "1 runs ended with runner_lost"),
        (replace(SOUND, runs=_run_2(status="cancelled")), "1 runs ended with cancelled"),
    ],
    ids=[
        "event lost",
        "run lost",
        "effect lost",
        "effect of another",
        "run twice",
        "effect twice",
        "answer asked for again",
        "event undecided",
        "run running",
        "run queued",
        "run failed",
        "run cancelled",
    ],
)
def test_what_is_wrong_is_named(seen: Seen, violation: str) -> None:
    (named,) = account_of(ACCEPTED, seen).violations()

    assert named.startswith(violation)


def test_a_run_that_has_not_ended_is_stuck_and_its_effect_not_lost_yet() -> None:
    stuck = replace(SOUND, runs=[replace(SOUND.runs[0], status="running"), SOUND.runs[1]], effects=[])

    account = account_of(ACCEPTED, stuck)

    assert (account.stuck, account.lost) == (1, 0)


def test_events_that_were_never_answered_may_have_runs() -> None:
    account = account_of({}, SOUND)

    assert (account.accepted, account.runs, account.violations()) == (0, 2, [])
