"""Messages that are counted, and the events that full rows of them become: decided purely."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from contracts.behaviour import MessagesTrigger
from contracts.envelope import Event
from contracts.message_counts import MessagesCounted, MessagesCountedData
from services.gating.overlap import Decided
from shared.domain.configuration import Configuration
from shared.domain.counting import Place, Subject, Tally, counted_id, subject_of
from shared.domain.decision import Decision, Reason, Skipped

COUNT_SOURCE = "/towpath/gating"
"""The `source` of every event that tells of a full row."""


@dataclass(frozen=True, slots=True)
class CountedMessage:
    """An event that counts for an Agent; the decision on it does not say yet as which one."""

    event: Event
    subject: Subject
    trigger: MessagesTrigger

    def full_row(self, place: Place) -> MessagesCounted:
        """Return the event that this message has filled a row: the same whoever finds it, and however often."""
        event, subject = self.event, self.subject
        return MessagesCounted(
            id=counted_id(subject, place),
            source=COUNT_SOURCE,
            time=event.time,
            organisationid=subject.organisation,
            projectid=subject.project,
            userid=subject.user,
            data=MessagesCountedData(
                agent_key=subject.agent_key,
                per=self.trigger.per,
                session_id=subject.session,
                count=place.count,
                total=place.total,
                event_type=event.type,
                last_event=event.id,
            ),
        )

    def detail(self, place: Place | None) -> str:
        """Say which one of how many it is."""
        if place is None:
            return "this one was counted before"
        told = f", as the event {self.full_row(place).key} tells" if place.is_last else ""
        return f"this is {place.text}{told}"


def counted_messages(events: Iterable[Event], decided: Decided, configuration: Configuration) -> list[CountedMessage]:
    """Return those of the events that count, in their order, once for each Agent that counts them."""
    return [
        CountedMessage(event, subject_of(trigger, decision.agent_key, event), trigger)
        for event in events
        for decision in decided.get(event.key, ())
        if isinstance(decision, Skipped) and decision.reason is Reason.COUNTED
        for trigger in [_trigger_of(event.organisationid, decision.agent_key, configuration)]
        if trigger is not None
    ]


def with_places(decided: Decided, messages: Iterable[CountedMessage], tallies: Mapping[Subject, Tally]) -> Decided:
    """Return the decisions of the counted messages anew: each says which one of how many it is."""
    anew: Decided = {}
    for message in messages:
        key = message.event.key
        detail = message.detail(tallies[message.subject].place(key))
        anew[key] = [_said(each, message, detail) for each in anew.get(key, decided[key])]
    return anew


def full_rows(messages: Iterable[CountedMessage], tallies: Mapping[Subject, Tally]) -> list[MessagesCounted]:
    """Return an event for each row that one of these messages has filled."""
    places = ((message, tallies[message.subject].place(message.event.key)) for message in messages)
    return [message.full_row(place) for message, place in places if place is not None and place.is_last]


def _said(decision: Decision, message: CountedMessage, detail: str) -> Decision:
    match decision:
        case Skipped(agent_key=key, reason=Reason.COUNTED) if key == message.subject.agent_key:
            return replace(decision, detail=detail)
        case _:
            return decision


def _trigger_of(organisation: str, agent_key: str, configuration: Configuration) -> MessagesTrigger | None:
    version = configuration.agent(organisation, agent_key)
    return None if version is None else version.spec.after_messages
