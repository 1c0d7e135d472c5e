"""What a run knows that its effects are made from and checked against."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contracts.agents import MemoryOwner


@dataclass(frozen=True, slots=True)
class SeenBlock:
    """A memory block as the Agent was shown it."""

    owner: MemoryOwner
    owner_id: str
    label: str
    version: int
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Shown:
    """What the Agent was shown: the id of its event, every text, and the names of the tools that were called."""

    event_id: str
    texts: tuple[str, ...] = ()
    tools: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Basis:
    """`owners` says whose memory `user` and `project` mean here, `session_id` which daily session the run is about.

    Without `shown`, references to evidence are only read and not looked for.
    """

    owners: Mapping[MemoryOwner, str | None]
    seen: tuple[SeenBlock, ...] = ()
    session_id: str | None = None
    proposal_schema: Mapping[str, Any] | None = None
    shown: Shown | None = None
