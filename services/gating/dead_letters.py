"""Keeps the messages that the gate cannot handle, where people see and decide them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import structlog

from contracts.ids import event_key
from contracts.subjects import id_of
from shared.clock import Clock
from shared.domain.dead_letter import DeadLetter, DeadLetterKind, event_letter_id, message_letter_id
from shared.messaging.delivery import Undeliverable
from shared.messaging.publisher import Publisher
from shared.store.dead_letters import DeadLetterStore
from shared.store.events import EventStore
from shared.store.mongo import Document, Mongo
from shared.store.transaction import Transaction

log = structlog.get_logger()

_TOKENS_OF_A_SUBJECT = 4
"""`event.<noun>.<verb>.<organisation>`."""


@dataclass(frozen=True, slots=True)
class EventDeadLetters:
    """MongoDB is the truth; the stream DEAD is told as well, when it can be.

    An event that is accepted and that the gate is not done with is set aside: the sweep leaves it alone until somebody
    redrives its letter. One that the gate was done with before needs no letter, however it looks now.
    """

    mongo: Mongo
    letters: DeadLetterStore
    events: EventStore
    publisher: Publisher
    clock: Clock

    async def keep(self, message: Undeliverable) -> None:
        """Keep the message, or raise StorageUnavailable."""
        key = _event_key(message.payload)
        accepted = await self._accepted_as(key, message)
        if accepted is not None and accepted["gated"] and "sweep_at" not in accepted:
            log.info("dead_letter.unneeded", event_key=key, code=message.code)
            return
        letter = self._letter(message, key, accepted)
        await self._store(letter, accepted)
        log.error("dead_letter.kept", kind=letter.kind, key=letter.id, subject=message.subject, reason=_said(message))
        await self.publisher.dead_letter(letter.kind, letter.id, message.payload, _said(message), message.subject)

    async def _store(self, letter: DeadLetter, accepted: Document | None) -> None:
        if accepted is None:
            await self.letters.keep([letter])
            return
        key = accepted["_id"]

        def both(within: Transaction) -> None:
            self.letters.keep_within(within, letter)
            self.events.set_aside(within, key, letter.id)

        await self.mongo.transaction(both)

    async def _accepted_as(self, key: str | None, message: Undeliverable) -> Document | None:
        if key is None:
            return None
        event = (await self.events.load([key])).get(key)
        return event if event is not None and event["json"].encode() == message.payload else None

    def _letter(self, message: Undeliverable, key: str | None, accepted: Document | None) -> DeadLetter:
        return DeadLetter(
            id=message_letter_id(message.subject, message.payload)
            if accepted is None
            else event_letter_id(accepted["_id"]),
            kind=DeadLetterKind.EVENT,
            code=message.code,
            reason=message.reason,
            at=self.clock(),
            subject=message.subject,
            payload=message.payload,
            event_key=key,
            is_accepted=accepted is not None,
            organisation=organisation_of(message) if accepted is None else accepted["organisation"],
        )


def organisation_of(message: Undeliverable) -> str | None:
    """Return whose message this is: what its subject says, unless its content says otherwise."""
    tokens = message.subject.split(".")
    if len(tokens) != _TOKENS_OF_A_SUBJECT:
        return None
    try:
        of_subject = id_of(tokens[-1])
    except ValueError:
        return None
    said = _attributes(message.payload).get("organisationid", of_subject)
    return of_subject if said == of_subject else None


def _event_key(payload: bytes) -> str | None:
    attributes = _attributes(payload)
    organisation, source, id_ = (attributes.get(name) for name in ("organisationid", "source", "id"))
    if not (isinstance(organisation, str) and isinstance(source, str) and isinstance(id_, str)):
        return None
    return event_key(organisation, source, id_)


def _attributes(payload: bytes) -> Mapping[str, Any]:
    try:
        value = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _said(message: Undeliverable) -> str:
    return f"{message.code}: {message.reason}"
