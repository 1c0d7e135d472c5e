"""What the load generator is asked to do, and what it answers; both travel as JSON."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Pattern(StrEnum):
    """How events are published."""

    ACCEPT = "accept"
    """Callers publish one request after the other for `seconds`; nobody waits for runs."""
    CLOSED_HTTP = "closed_http"
    """Each of the callers waits for the end of its run before it publishes the next event, `count` in all."""
    CLOSED_NATS = "closed_nats"
    """The same, published straight to the stream."""
    FLOOD = "flood"
    """`count` events as fast as the callers can publish them; nobody waits for runs."""
    PACED = "paced"
    """`per_second` events a second for `seconds`, whatever became of the earlier ones; ends are then waited for."""


class Job(BaseModel):
    """One task of the load generator; a `batch` of 1 publishes single events."""

    model_config = ConfigDict(frozen=True)

    pattern: Pattern
    gateway_url: str
    nats_url: str
    token: str
    organisation: str
    event_type: str
    agent_key: str = ""
    tag: str
    callers: int = 1
    batch: int = 1
    count: int = 0
    seconds: float = 0.0
    per_second: float = 0.0


class Outcome(BaseModel):
    """What came of a job. `moments` are seconds since 1970, one list of equal length for each thing observed."""

    model_config = ConfigDict(frozen=True)

    events: int
    seconds: float
    cpu_seconds: float = 0.0
    moments: dict[str, list[float]] = {}
