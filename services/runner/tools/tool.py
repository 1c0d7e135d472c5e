"""What a tool is: a function that a model may ask for, described to it by a strict JSON Schema."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.errors import Permanent
from shared.llm.port import ToolSpec
from shared.store.events import EventStore
from shared.store.memory import MemoryStore
from shared.store.mongo import Database
from shared.store.ticket_pairs import TicketPairStore
from shared.store.tickets import TicketStore


class ToolStops(Permanent):
    """A tool says that the run must not go on; any other error of it is told to the model."""

    code = "tool_stopped"


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose data a tool may touch: that of the run, whatever the model asks for."""

    organisation: str
    project: str | None
    user: str | None


@dataclass(frozen=True, slots=True)
class Stores:
    """Where tools and handlers read."""

    events: EventStore
    memory: MemoryStore
    tickets: TicketStore
    pairs: TicketPairStore


def stores_of(database: Database) -> Stores:
    """Return where tools read in this database."""
    return Stores(EventStore(database), MemoryStore(database), TicketStore(database), TicketPairStore(database))


@dataclass(frozen=True, slots=True)
class Paid:
    """What a tool returns that had a provider read tokens for it; they count with those of the run."""

    value: Any
    input_tokens: int


@dataclass(frozen=True, slots=True)
class Tool:
    """`call` gets arguments that satisfy the schema, and returns anything that is JSON, or that as `Paid`."""

    spec: ToolSpec
    call: Callable[[Stores, Scope, Mapping[str, Any]], Awaitable[Any]]
