"""Accepting events: stored for good first, then published, then answered with what the gate decided."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.gateway.gate_answers import Decisions, GateAnswers
from services.gateway.intake import Readable, Reading, RefusedField
from shared.domain.event import ACCEPTED_HEADER, REPLY_HEADER, AcceptedEvent
from shared.messaging.publisher import Publisher
from shared.store.events import Acceptance, EventStore
from shared.store.group_commit import GroupCommit

_LOOK_EVERY_SECONDS = 0.025


@dataclass(frozen=True, slots=True)
class Published:
    """What became of the events of one request; decisions are missing for those that the gate has not answered."""

    accepted: list[Readable]
    refused: list[RefusedField]
    decisions: dict[str, Decisions]


class Publishing:
    """Takes events in. NATS being away never fails an accept; MongoDB being away fails it before anything is told."""

    def __init__(
        self, events: EventStore, publisher: Publisher, answers: GateAnswers, instance: str, gate_wait_seconds: float
    ) -> None:
        self._events = events
        self._publisher = publisher
        self._answers = answers
        self._gate_wait_seconds = gate_wait_seconds
        wants_answers = gate_wait_seconds > 0
        self._headers = {ACCEPTED_HEADER: "once", **({REPLY_HEADER: instance} if wants_answers else {})}
        self._accepted: GroupCommit[AcceptedEvent, Acceptance] = GroupCommit(events.accept, most=1_000, writers=2)
        # One question at a time for all that wait: a thousand publishers that repeat themselves ask no more than one.
        self._recorded: GroupCommit[str, Decisions | None] = GroupCommit(self._look_up, most=1_000)

    async def publish(self, reading: Reading) -> Published:
        """Accept the readable events of a request and wait, within bounds, for what the gate says of them."""
        acceptances = await self._accepted.submit_all([readable.event for readable in reading.readable])
        outcomes = list(zip(reading.readable, acceptances, strict=True))
        accepted = [readable for readable, acceptance in outcomes if acceptance is not Acceptance.DIFFERENT]
        reused = [_reused(readable) for readable, acceptance in outcomes if acceptance is Acceptance.DIFFERENT]
        new = [readable.event for readable, acceptance in outcomes if acceptance is Acceptance.STORED]
        known = [readable.event.key for readable, acceptance in outcomes if acceptance is Acceptance.SAME]
        refused = [*reading.refused, *reused]
        if not known:
            return Published(accepted, refused, await self._publish_new(new))
        fresh, recorded = await asyncio.gather(self._publish_new(new), self._decisions_of_known(known))
        return Published(accepted, refused, fresh | recorded)

    async def _publish_new(self, events: Sequence[AcceptedEvent]) -> dict[str, Decisions]:
        futures = self._answers.expect(event.key for event in events) if self._gate_wait_seconds > 0 else {}
        is_sent = True
        for event in events:
            is_sent = (
                await self._publisher.event(event.type, event.organisation, event.json.encode(), self._headers)
                and is_sent
            )
        return await self._answers.collect(futures, self._gate_wait_seconds if is_sent else 0)

    async def _decisions_of_known(self, keys: list[str]) -> dict[str, Decisions]:
        """Wait for events that were accepted before, perhaps a moment ago by another process."""
        give_up_at = asyncio.get_running_loop().time() + self._gate_wait_seconds
        while True:
            recorded = await self._recorded.submit_all(keys)
            if None not in recorded or asyncio.get_running_loop().time() >= give_up_at:
                return {key: found for key, found in zip(keys, recorded, strict=True) if found is not None}
            await asyncio.sleep(_LOOK_EVERY_SECONDS)

    async def _look_up(self, keys: list[str]) -> list[Decisions | None]:
        found = await self._events.decisions(set(keys))
        return [found.get(key) for key in keys]


def _reused(readable: Readable) -> RefusedField:
    event = readable.event
    message = f"The id '{event.id}' was used by this source for another event; an event is never changed. Use a new id."
    return RefusedField(readable.index, event.id, "event_id_reused", "id", message)


def answer(published: Published) -> dict[str, Any]:
    """Return what the publisher is answered: for each event what started, what did not, and why."""
    events = [_event_answer(readable, published.decisions.get(readable.event.key)) for readable in published.accepted]
    return {"events": events, "agent_runs": [run for event in events for run in event["agent_runs"]]}


def _event_answer(readable: Readable, decisions: Decisions | None) -> dict[str, Any]:
    return {
        "index": readable.index,
        "id": readable.event.id,
        "key": readable.event.key,
        "agent_runs": [_started(decision) for decision in decisions or () if decision["outcome"] == "run"],
        "decisions": [_decision(decision) for decision in decisions or ()],
        "pending": decisions is None,
    }


def _started(decision: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": decision["run_id"],
        "agent_key": decision["agent_key"],
        "agent_version": decision["agent_version"],
        "status": "queued",
        "target": decision["target"],
    }


def _decision(decision: dict[str, Any]) -> dict[str, Any]:
    shown = ("agent_key", "agent_version", "outcome", "reason", "decided_by", "run_id", "explanation")
    return {name: decision[name] for name in shown}
