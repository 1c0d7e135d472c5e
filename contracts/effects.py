"""What an Agent's answer may ask for: the shape of one entry of each kind, as a product finds it in a proposal."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

_Line = Annotated[str, StringConstraints(min_length=1, max_length=2_000, strip_whitespace=True)]
_Text = Annotated[str, StringConstraints(min_length=1, max_length=50_000)]
_Id = Annotated[str, StringConstraints(min_length=1, max_length=256)]
_Tickets = Annotated[tuple[_Id, ...], Field(max_length=100)]


class EffectKind(StrEnum):
    """What an Agent may ask for; each becomes a proposal of the same kind.

    Only `session_message` becomes none: whoever has it may continue the session of a job that has ended, with its answer.
    """

    MEMORY_DIFF = "memory_diff"
    TICKET_CHANGE = "ticket_change"
    ROADMAP_ITEM = "roadmap_item"
    EPIC = "epic"
    SNAPSHOT_DRAFT = "snapshot_draft"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    SESSION_UPDATE = "session_update"
    CUSTOM = "custom"
    SESSION_MESSAGE = "session_message"


class Confidence(StrEnum):
    """How sure an Agent is."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True)


class Evidence(_Shape):
    """What an entry rests on: an event, a document or a step of the run by its id, perhaps with its own words."""

    type: Literal["event", "document", "step"]
    id: _Id
    quote: Annotated[str, StringConstraints(max_length=2_000)] | None = None


_LIST_OF_EVIDENCE: dict[str, Any] = {"type": "array", "items": Evidence.model_json_schema()}


class Effect(_Shape):
    """What every entry says; what else an answer writes into it is ignored."""

    reasoning: str
    confidence: Confidence
    evidence: Annotated[tuple[Any, ...], WithJsonSchema(_LIST_OF_EVIDENCE)] = ()
    """Of `Evidence`, unread: each is looked at by itself, so that a wrong one costs only itself."""


class MemoryDiff(Effect):
    """A change of one field of a memory block."""

    owner: Literal["user", "project"]
    block_label: str
    field: str
    operation: Literal["append", "replace", "llm_diff"]
    proposed_value: str


class TicketChange(Effect):
    """A ticket to open, update or close; `ticket_id` is null when it is to be opened."""

    action: Literal["open", "update", "close"]
    ticket_id: _Id | None
    title: str
    change: str


class RoadmapItem(Effect):
    """A piece of a roadmap; `when` is a quarter, weeks or a date in words, `epic` the title of its epic."""

    title: _Line
    description: _Text
    when: _Line | None = None
    epic: _Line | None = None


class Epic(Effect):
    """A larger piece of work, with the tickets that belong to it already."""

    title: _Line
    goal: _Text
    ticket_ids: _Tickets = ()


class Section(_Shape):
    """A part of a snapshot."""

    heading: _Line
    lines: tuple[_Text, ...] = Field(min_length=1, max_length=100)


class SnapshotDraft(Effect):
    """A snapshot for a person to review; `questions` is what has to be settled before it is sent."""

    title: _Line
    summary: str = ""
    sections: tuple[Section, ...] = Field(min_length=1, max_length=50)
    questions: tuple[_Text, ...] = Field(default=(), max_length=50)


class Duplicate(Effect):
    """Tickets for the same outcome; `keep` is the one that stays."""

    ticket_ids: _Tickets = Field(min_length=2)
    keep: _Id

    @field_validator("ticket_ids")
    @classmethod
    def _names_each_once(cls, ticket_ids: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(ticket_ids)) < len(ticket_ids):
            raise ValueError("names a ticket twice; name each once")
        return ticket_ids

    @field_validator("keep")
    @classmethod
    def _keeps_one_of_them(cls, keep: str, known: ValidationInfo) -> str:
        if keep not in known.data.get("ticket_ids", (keep,)):
            raise ValueError(f"'{keep}' is not one of ticket_ids; keep one of those")
        return keep


class TicketConflict(Effect):
    """Tickets that cannot all be done as written, or one that a decision rules out."""

    ticket_ids: _Tickets = Field(min_length=1)
    explanation: _Text


class SessionUpdate(Effect):
    """Something to say in a session; without `session_id` it is for the daily session that the run is about."""

    session_id: _Id | None = None
    text: _Text
    items: tuple[_Text, ...] = Field(default=(), max_length=50)


class CustomProposal(Effect):
    """Anything else; `content` satisfies the `proposal_schema` of the Agent version."""

    title: _Line
    content: Any


SHAPES: Final[Mapping[EffectKind, type[Effect]]] = MappingProxyType(
    {
        EffectKind.MEMORY_DIFF: MemoryDiff,
        EffectKind.TICKET_CHANGE: TicketChange,
        EffectKind.ROADMAP_ITEM: RoadmapItem,
        EffectKind.EPIC: Epic,
        EffectKind.SNAPSHOT_DRAFT: SnapshotDraft,
        EffectKind.DUPLICATE: Duplicate,
        EffectKind.CONFLICT: TicketConflict,
        EffectKind.SESSION_UPDATE: SessionUpdate,
        EffectKind.CUSTOM: CustomProposal,
    }
)
"""The shape of an entry of each kind that becomes a proposal."""

ANSWER_FIELDS: Final[Mapping[EffectKind, str]] = MappingProxyType(
    {
        EffectKind.MEMORY_DIFF: "memory_diffs",
        EffectKind.TICKET_CHANGE: "ticket_changes",
        EffectKind.ROADMAP_ITEM: "roadmap_items",
        EffectKind.EPIC: "epics",
        EffectKind.SNAPSHOT_DRAFT: "snapshot_drafts",
        EffectKind.DUPLICATE: "duplicates",
        EffectKind.CONFLICT: "conflicts",
        EffectKind.SESSION_UPDATE: "session_updates",
        EffectKind.CUSTOM: "custom_proposals",
    }
)
"""The field of an answer that holds the entries of each kind that becomes a proposal."""
