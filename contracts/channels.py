"""What each service receives and sends over NATS, as data; the AsyncAPI documents are made of it."""

from dataclasses import dataclass
from typing import Final

from contracts.registry import EVENT_TYPES, PLATFORM_TYPES


@dataclass(frozen=True, slots=True)
class Channel:
    """One family of subjects. `events` are the types of event that travel on it; none means the description says all."""

    name: str
    address: str
    description: str
    events: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Traffic:
    """The channels of one service."""

    receives: tuple[Channel, ...] = ()
    sends: tuple[Channel, ...] = ()


_RUN_EVENTS = tuple(sorted(type_ for type_ in PLATFORM_TYPES if type_.startswith("run.")))

EVENTS: Final = Channel(
    "events",
    "event.{type}.{organisation}",
    "Stream EVENTS. Facts, as structured CloudEvents; ids in subjects are percent-encoded. A backend may publish here"
    " itself: gating then stores the event first.",
    tuple(sorted({type_ for type_, _ in EVENT_TYPES} - set(_RUN_EVENTS))),
)
DISPATCH: Final = Channel(
    "dispatch",
    "run.{queue}.{run}",
    "Stream RUNS, a work queue with one entry for each run. The message is empty: the run is in MongoDB.",
)
CANCELLING: Final = Channel(
    "cancelling",
    "cancel.{runner}",
    "Not stored. Ids of runs that are to end, for the runner process that executes them.",
)
RUN_EVENTS: Final = Channel(
    "run_events",
    "runevent.{organisation}.{user}.{agent}.{run}",
    "Stream RUN_EVENTS. The life of every run; `_` stands for no user.",
    _RUN_EVENTS,
)
DEAD_LETTERS: Final = Channel(
    "dead_letters",
    "dead.{kind}.{key}",
    "Stream DEAD. Messages that cannot be handled, as they came; the header Towpath-Reason says why. A copy of the dead"
    " letters, told when it can be.",
)
DECISIONS: Final = Channel(
    "decisions",
    "gated.{gateway}",
    "Not stored. Decisions by event key, for the gateway process that waits for them.",
)
PRESENCE: Final = Channel(
    "presence",
    "presence.{service}.{instance}",
    "Not stored. A request that each living process answers with its name.",
)

TRAFFIC: Final[dict[str, Traffic]] = {
    "gateway": Traffic(receives=(DECISIONS, RUN_EVENTS), sends=(EVENTS, CANCELLING)),
    "gating": Traffic(receives=(EVENTS, PRESENCE), sends=(DISPATCH, RUN_EVENTS, DECISIONS, DEAD_LETTERS)),
    "scheduler": Traffic(receives=(PRESENCE,), sends=(EVENTS, DISPATCH, RUN_EVENTS)),
    "runner": Traffic(receives=(DISPATCH, CANCELLING, PRESENCE), sends=(RUN_EVENTS, DISPATCH)),
}
