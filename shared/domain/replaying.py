"""Replays: past runs done again by another version of their Agent, with effects off. What is stored of one, and how. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from contracts.ids import derived_id

Document = dict[str, Any]

MOST_RUNS: Final = 200
DRAFT: Final = 0
"""The number that stands for a draft where a version has one."""
EFFECTS_OFF: Final = "this run is a replay, so its effects are off"
REPLAYED_FROM: Final = "replayed_from"
"""The fact of a step that gives what a step of the original read, with the id of that step."""

_ID = "rpl"


@dataclass(frozen=True, slots=True)
class NewReplay:
    """A replay as somebody asks for it. `draft_json` is the specification that is to be run, when it is no version."""

    organisation: str
    agent_id: str
    agent_key: str
    agent_version: int
    agent_version_id: str
    draft_json: str | None
    request_id: str
    request_hash: str
    requested_by: str
    created_at: datetime

    @property
    def id(self) -> str:
        return replay_id(self.organisation, self.agent_id, self.request_id)


def replay_id(organisation: str, agent_id: str, request_id: str) -> str:
    """Return the id of the only replay of this Agent that this request starts."""
    return derived_id(_ID, organisation, agent_id, request_id)


def replayed_run_id(replay: str, original: str) -> str:
    """Return the id of the run that does the original again."""
    return derived_id("run", replay, original)


def draft_version_id(agent_id: str, replay: str) -> str:
    """Return the id that runs of a replayed draft are pinned to: that of the Agent, and of the replay that keeps it."""
    return f"{agent_id}:{replay}"


def replay_of_version(version_id: str) -> str | None:
    """Return the replay that keeps a version, or None when it is a published one."""
    last = version_id.rpartition(":")[2]
    return last if last.startswith(f"{_ID}_") else None


def replay_document(replay: NewReplay, originals: Iterable[str]) -> Document:
    """Return the replay as it is stored."""
    return {
        "_id": replay.id,
        "organisation": replay.organisation,
        "agent_id": replay.agent_id,
        "agent_key": replay.agent_key,
        "agent_version": replay.agent_version,
        "agent_version_id": replay.agent_version_id,
        "draft_json": replay.draft_json,
        "request_id": replay.request_id,
        "request_hash": replay.request_hash,
        "requested_by": replay.requested_by,
        "created_at": replay.created_at,
        "cancel": None,
        "runs": [{"id": replayed_run_id(replay.id, original), "of": original} for original in originals],
    }


def without_effects(effects: Iterable[Document]) -> tuple[Document, ...]:
    """Return the effects as the run of a replay records them: none becomes a proposal."""
    return tuple(effect if effect["dropped"] is not None else {**effect, "dropped": EFFECTS_OFF} for effect in effects)
