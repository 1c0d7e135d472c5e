"""What holds of runs and slots after every step, and what holds when everything has come to rest."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from shared.domain.run import TERMINAL, Claim, RunStatus
from shared.store.slots import Held as HeldSlot
from tests.conformance.run_life.crew import Outside
from tests.unit.shared.given import Document

Runs = Mapping[str, Document]


def is_admitted(run: Document) -> bool:
    """Return whether the run is with the runners, or on its way to them."""
    return run["status"] == RunStatus.RUNNING or (run["status"] == RunStatus.QUEUED and run["waiting_for"] is None)


def is_free(run: Document, now: datetime) -> bool:
    """Return whether a runner may claim the run."""
    if run["status"] == RunStatus.QUEUED:
        return run["waiting_for"] is None
    return bool(run["status"] == RunStatus.RUNNING and run["lease_expires_at"] < now)


def is_held_by(run: Document, owner: str) -> bool:
    """Return whether this runner has the run."""
    return bool(run["status"] == RunStatus.RUNNING and run["owner"] == owner)


def stands(claim: Claim, run: Document) -> bool:
    """Return whether this claim is the one that the run carries."""
    return bool(run["status"] == RunStatus.RUNNING and (run["attempt"], run["owner"]) == (claim.attempt, claim.owner))


def check_step(before: Document, now: Document, marks: Mapping[int, Claim]) -> None:
    """Fail unless a run may have become what it is now."""
    redriven = now.get("redriven", 0) - before.get("redriven", 0)
    assert now["attempt"] >= before["attempt"]
    if redriven == 0:
        assert now["failures"] >= before["failures"]
        assert now["losses"] >= before["losses"]
        if before["status"] in TERMINAL:
            assert _without_sweep(now) == _without_sweep(before)
            assert "sweep_at" in before or "sweep_at" not in now
    else:
        assert redriven > 0
        assert before["status"] not in (RunStatus.COMPLETED, RunStatus.CANCELLED)
    if before["cancel"] is not None:
        assert now["cancel"] == before["cancel"]
    _check_end(before, now, marks)


def check_alone(run: Document) -> None:
    """Fail unless a run is in itself what it may be."""
    assert ("lease_expires_at" in run) == (run["status"] == RunStatus.RUNNING)
    assert run["status"] == RunStatus.QUEUED or run["waiting_for"] is None
    assert run["status"] in TERMINAL or "sweep_at" in run
    assert ("finished_at" in run) == (run["status"] in TERMINAL)
    if run["cancel"] is not None:
        assert run["status"] not in (RunStatus.COMPLETED, RunStatus.FAILED)
        assert run["waiting_for"] is None


def check_limits(runs: Iterable[Document], slots: Iterable[HeldSlot], limits: Mapping[str, int]) -> None:
    """Fail when more runs are open, or have a place, than a slot has room for."""
    open_ = [run for run in runs if is_admitted(run)]
    for key, limit in limits.items():
        admitted = [run["_id"] for run in open_ if key in run["slots"] and run["cancel"] is None]
        assert len(admitted) <= limit, (key, admitted)
    for slot in slots:
        assert len(slot.holders) <= limits[slot.key], slot
        assert len(set(slot.holders)) == len(slot.holders)


def check_waiting(runs: Iterable[Document], slots: Iterable[HeldSlot]) -> None:
    """Fail when a run keeps a place while it waits; one that is tried again may not have given back its old ones."""
    waiting = {run["_id"] for run in runs if run["waiting_for"] is not None and "redriven" not in run}
    assert waiting.isdisjoint(run_id for slot in slots for run_id in slot.holders)


def check_slots(runs: Iterable[Document], slots: Iterable[HeldSlot]) -> None:
    """Fail unless the slots hold the runs that are admitted, and no others."""
    held = {(slot.key, run_id) for slot in slots for run_id in slot.holders}
    rightly = {(key, run["_id"]) for run in runs if is_admitted(run) for key in run["slots"]}
    assert held == rightly


def check_rest(runs: Iterable[Document], slots: Iterable[HeldSlot], outside: Outside) -> None:
    """Fail unless every run has ended, everything that follows from its end was done, once, and all places are free."""
    for run in runs:
        id_, status = run["_id"], run["status"]
        assert status in TERMINAL, run
        assert "sweep_at" not in run, run
        assert len(outside.proposed.get(id_, ())) == (status == RunStatus.COMPLETED), run
        assert f"{id_}:{run['attempt']}:{status}" in outside.told, run
        assert status != RunStatus.FAILED or id_ in outside.letters
    assert [slot for slot in slots if slot.holders] == []


def _check_end(before: Document, now: Document, marks: Mapping[int, Claim]) -> None:
    """Fail unless whoever has written an end had the claim that counted at that time."""
    mark, earlier = _mark_of(now), _mark_of(before)
    if mark in (earlier, 0):
        return
    claim = marks[mark]
    assert before["attempt"] <= claim.attempt <= now["attempt"]
    if claim.attempt == before["attempt"]:
        assert before["status"] == RunStatus.RUNNING
        assert before["owner"] == claim.owner


def _mark_of(run: Document) -> int:
    mark: int = (run.get("usage") or {}).get("input_tokens", 0)
    return mark


def _without_sweep(run: Document) -> Document:
    return {name: value for name, value in run.items() if name != "sweep_at"}
