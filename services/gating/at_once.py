"""Events that are stored together with their decisions: nothing starts, and nothing else is to be written down first."""

from collections.abc import Iterable, Sequence

from contracts.envelope import Event
from contracts.members import MemberJoined, MemberLeft
from services.gating.idleness import activity_shown
from services.gating.overlap import Decided
from shared.conversation import Concerning
from shared.domain.configuration import Configuration
from shared.domain.decide import DecisionRecord, record
from shared.domain.decision import Decision, Reason, Skipped

_NOTED = Concerning | MemberJoined | MemberLeft


def recorded_at_once(
    events: Iterable[Event], decided: Decided, configuration: Configuration
) -> dict[str, list[DecisionRecord]]:
    """Return the decisions, by key, of those of the events for which recording them is all there is to do."""
    quiet = [event for event in events if not isinstance(event, _NOTED) and _is_final(decided[event.key])]
    active = {event.key for event in activity_shown(quiet, configuration)}
    return {
        event.key: [record(event.key, decision) for decision in decided[event.key]]
        for event in quiet
        if event.key not in active
    }


def _is_final(decisions: Sequence[Decision]) -> bool:
    """Return whether none of them starts a run, and none becomes another one by what is counted."""
    return all(isinstance(each, Skipped) and each.reason is not Reason.COUNTED for each in decisions)
