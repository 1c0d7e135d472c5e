"""Runs as they are stored, and the fenced ends of their attempts."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pymongo import UpdateOne

from contracts.lanes import ORDER, Lane
from shared.domain.agent_id import version_id
from shared.domain.decision import Target
from shared.domain.run import Claim, RunError, RunStatus, Usage, Waiting, may_become
from shared.domain.slot import OwnLimits
from shared.store.mongo import Document
from shared.store.upcast import RUN_SCHEMA

DISPATCH_AGAIN_AFTER = timedelta(seconds=3)
LOOK_AT_WAITING_AFTER = timedelta(hours=1)
"""A run that waits for a place is found by its slot; this is for the case that nobody looks there."""
LOOK_AT_HOLDING_WITHIN = timedelta(minutes=15)
"""More than any lease, and than the sweep lets what is dispatched alone."""
SETTLE_AFTER = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class NewRun:
    """A run as the gate starts it: admitted with its slots, or waiting for what `waiting_for` says.

    `agent_version_id` is None for a version of the server's Agent. `gathering` is what a debounced run has taken so far:
    the `key` that its events share, the keys of the `events`, and the order of the `latest`, on which it works. `batch`
    says for whom a parent has runs, and how many at a time.
    """

    id: str
    event_key: str
    event_id: str
    event_type: str
    organisation: str
    project: str | None
    user: str | None
    agent_key: str
    agent_version: int
    target: Target
    lane: Lane
    queued_at: datetime
    slots: tuple[str, ...] = ()
    own_limits: OwnLimits = field(default_factory=OwnLimits)
    is_express: bool = False
    waiting_for: Document | None = None
    queue_timeout_seconds: int | None = None
    run_timeout_seconds: int | None = None
    agent_version_id: str | None = None
    gathering: Document | None = None
    batch: Document | None = None


def run_document(run: NewRun) -> Document:
    """Return the run as it is stored when it is queued for the first time.

    What is indexed comes first: with every write the server looks for these fields, one after the other from the start.
    """
    expires_at = _after(run.queued_at, run.queue_timeout_seconds)
    gathering = {} if run.gathering is None else {"gathering": run.gathering}
    batch = {} if run.batch is None else {"batch": run.batch}
    return {
        "_id": run.id,
        "organisation": run.organisation,
        "user": run.user,
        "status": RunStatus.QUEUED,
        "changed_at": run.queued_at,
        "agent_key": run.agent_key,
        "queued_at": run.queued_at,
        "sweep_at": _first_look(run, expires_at),
        "waiting_for": run.waiting_for,
        "rank": ORDER.index(run.lane),
        **gathering,
        **batch,
        "schema": RUN_SCHEMA,
        "event_key": run.event_key,
        "event_id": run.event_id,
        "event_type": run.event_type,
        "project": run.project,
        "agent_version": run.agent_version,
        "agent_version_id": run.agent_version_id or version_id("", run.agent_key, run.agent_version),
        "target": {"type": run.target.type, "id": run.target.id},
        "lane": run.lane,
        "attempt": 0,
        "failures": 0,
        "losses": 0,
        "slots": list(run.slots),
        "own_limits": {"per_target": run.own_limits.per_target, "per_agent": run.own_limits.per_agent},
        "express": run.is_express,
        "queue_expires_at": expires_at,
        "run_timeout_seconds": run.run_timeout_seconds,
        "cancel": None,
    }


def waiting_document(
    what: Waiting, since: datetime, *, until: datetime | None = None, key: str | None = None, detail: str = ""
) -> Document:
    """Return what a run waits for, as it is stored; only what is waited for under a key has one."""
    waiting: Document = {"what": what, "since": since, "until": until, "detail": detail}
    return waiting if key is None else {**waiting, "key": key}


def _first_look(run: NewRun, expires_at: datetime | None) -> datetime:
    if run.waiting_for is None:
        return run.queued_at + DISPATCH_AGAIN_AFTER
    if run.batch is not None:
        return run.queued_at
    due: datetime = run.waiting_for["until"] or run.queued_at + LOOK_AT_WAITING_AFTER
    return due if expires_at is None else min(due, expires_at)


def _after(moment: datetime, seconds: int | None) -> datetime | None:
    return None if seconds is None else moment + timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True)
class Admitted:
    """A waiting run, as it was seen in this attempt, that now has a place in all these slots."""

    run_id: str
    attempt: int
    slots: tuple[str, ...]
    is_express: bool


@dataclass(frozen=True, slots=True)
class Wait:
    """A queued run, as it was seen in this attempt, that goes on waiting for something else."""

    run_id: str
    attempt: int
    slots: tuple[str, ...]
    waiting_for: Document


@dataclass(frozen=True, slots=True)
class Commit:
    """The fenced end of a run: its terminal status and everything that came of it."""

    claim: Claim
    status: RunStatus
    finished_at: datetime
    usage: Usage
    output_json: str | None = None
    output_ref: str | None = None
    effects: tuple[Document, ...] = ()
    error: RunError | None = None
    spent_after_cancel: Usage | None = None
    only_if_wanted: bool = False
    tally: Document = field(default_factory=dict)

    def changes(self) -> Document:
        """Return what the end makes of the run."""
        changes: Document = {
            "status": self.status,
            "finished_at": self.finished_at,
            "changed_at": self.finished_at,
            "usage": usage_document(self.usage),
            "output_json": self.output_json,
            "effects": list(self.effects),
            "error": error_document(self.error),
            # Until the effects are projected and the end is told; then it is removed.
            "sweep_at": self.finished_at + SETTLE_AFTER,
        }
        if self.output_ref is not None:
            changes["output_ref"] = self.output_ref
        if self.tally:
            changes["tally"] = self.tally
        if self.spent_after_cancel is not None:
            changes["spent_after_cancel"] = usage_document(self.spent_after_cancel)
        return changes


@dataclass(frozen=True, slots=True)
class Return:
    """A fenced return to the queue: to be dispatched again at once, or to wait for something until it is due."""

    claim: Claim
    changed_at: datetime
    usage: Usage
    error: RunError | None = None
    waiting_for: Document | None = None

    def write(self) -> UpdateOne:
        due = self.waiting_for["until"] if self.waiting_for else None
        look_after = LOOK_AT_WAITING_AFTER if self.waiting_for else DISPATCH_AGAIN_AFTER
        changes = {
            "status": RunStatus.QUEUED,
            "changed_at": self.changed_at,
            "usage": usage_document(self.usage),
            "error": error_document(self.error),
            "waiting_for": self.waiting_for,
            "sweep_at": due or self.changed_at + look_after,
        }
        if self.waiting_for is None:
            # It has waited for its turn already.
            changes["express"] = True
        return UpdateOne(
            {"_id": self.claim.run_id, **fence(self.claim.attempt, self.claim.owner, RunStatus.QUEUED)},
            {
                "$set": changes,
                "$inc": {"failures": 0 if self.error is None else 1},
                "$unset": {"lease_expires_at": "", "claim": "", "owner": ""},
            },
        )


def fence(attempt: int, owner: str, becomes: RunStatus, *, only_if_wanted: bool = False) -> Document:
    """Return what must hold for the end of an attempt: the claim stands, and nobody wants the run to end otherwise."""
    stands: Document = {
        "attempt": attempt,
        "owner": owner,
        "status": {"$in": [status for status in may_become(becomes) if status is RunStatus.RUNNING]},
    }
    if only_if_wanted:
        return {**stands, "cancel": {"$ne": None}}
    return stands if becomes is RunStatus.CANCELLED else {**stands, "cancel": None}


def committed(run: Document, commit: Commit) -> Document:
    """Return the run as the commit leaves it."""
    changes = commit.changes()
    return {**run, **changes}


def usage_document(usage: Usage) -> Document:
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "model_calls": usage.model_calls,
    }


def usage_of(run: Document) -> Usage:
    """Return what the run had used when it was last written."""
    usage = run.get("usage")
    return Usage() if usage is None else Usage(**usage)


def error_document(error: RunError | None) -> Document | None:
    return None if error is None else {"code": error.code, "detail": error.detail}
