"""Decides dead letters: redrives what they hold, or discards them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from services.gateway.problems import LetterDecided, LetterObsolete
from shared.domain.dead_letter import DeadLetterKind, DeadLetterStatus
from shared.errors import MessagingUnavailable
from shared.messaging.publisher import Publisher
from shared.store.dead_letters import DeadLetterStore, payload_of
from shared.store.deciding import Deciding
from shared.store.events import EventStore
from shared.store.runs import RunStore

Document = dict[str, Any]

_OBSOLETE = "What it was about does not exist any more."


@dataclass(frozen=True, slots=True)
class Decided:
    """How many letters were decided, and how many were discarded because there is nothing left to redrive."""

    count: int
    obsolete: int = 0


@dataclass(frozen=True, slots=True)
class LetterDecisions:
    """Acts first and notes the decision after: a crash between leaves the letter open, and redriving again is safe.

    A run is queued once however often it is asked for, an accepted event is gated once, and a message that is
    published twice is one event.
    """

    letters: DeadLetterStore
    runs: RunStore
    events: EventStore
    publisher: Publisher

    async def redrive_one(self, letter: Document, deciding: Deciding) -> None:
        """Redrive a letter; one that is redriven already stays so. Raises LetterDecided or LetterObsolete."""
        if letter["status"] == DeadLetterStatus.DISCARDED:
            raise LetterDecided(_decided_otherwise(letter, "redriven"), letter_status=letter["status"])
        if letter["status"] == DeadLetterStatus.OPEN and (await self.redrive([letter], deciding)).obsolete:
            raise LetterObsolete(f"{_OBSOLETE} Letter '{letter['_id']}' is discarded.")

    async def discard_one(self, letter: Document, deciding: Deciding) -> None:
        """Discard a letter; one that is discarded already stays so. Raises LetterDecided."""
        if letter["status"] == DeadLetterStatus.REDRIVEN:
            raise LetterDecided(_decided_otherwise(letter, "discarded"), letter_status=letter["status"])
        if letter["status"] == DeadLetterStatus.OPEN:
            await self.discard([letter], deciding)

    async def redrive(self, letters: Sequence[Document], deciding: Deciding) -> Decided:
        """Redrive open letters; raises MessagingUnavailable when a message cannot be published, the others done."""
        runs = [letter for letter in letters if letter["kind"] == DeadLetterKind.RUN]
        events = [letter for letter in letters if letter["is_accepted"]]
        messages = [letter for letter in letters if letter not in runs and letter not in events]
        alive = [*await self._queue_runs(runs, deciding), *await self._take_up_events(events, deciding)]
        redriven = await self.letters.decide(alive, DeadLetterStatus.REDRIVEN, deciding)
        alive_ids = {letter["_id"] for letter in alive}
        gone = [letter for letter in (*runs, *events) if letter["_id"] not in alive_ids]
        nothing_left = Deciding(deciding.user, deciding.at, _OBSOLETE)
        obsolete = await self.letters.decide(gone, DeadLetterStatus.DISCARDED, nothing_left)
        return Decided(redriven + await self._publish(messages, deciding), obsolete)

    async def discard(self, letters: Sequence[Document], deciding: Deciding) -> Decided:
        """Discard open letters."""
        return Decided(await self.letters.decide(letters, DeadLetterStatus.DISCARDED, deciding))

    async def _queue_runs(self, letters: Sequence[Document], deciding: Deciding) -> list[Document]:
        """Queue the runs that still failed; return the letters of all runs that exist."""
        ids = [letter["run_id"] for letter in letters]
        if not ids:
            return []
        await self.runs.redrive(ids, deciding.at)
        known = {run["_id"] for run in await self.runs.find({"_id": {"$in": ids}}, len(ids))}
        return [letter for letter in letters if letter["run_id"] in known]

    async def _take_up_events(self, letters: Sequence[Document], deciding: Deciding) -> list[Document]:
        """Have the sweep publish the events again; return the letters of all events that exist."""
        keys = [letter["event_key"] for letter in letters]
        if not keys:
            return []
        await self.events.take_up_again(keys, deciding.at)
        known = await self.events.known(keys)
        return [letter for letter in letters if letter["event_key"] in known]

    async def _publish(self, letters: Iterable[Document], deciding: Deciding) -> int:
        redriven = 0
        for letter in letters:
            whole = await self.letters.get({"_id": letter["_id"]})
            if not await self.publisher.again(whole["subject"], payload_of(whole) or b""):
                raise MessagingUnavailable(
                    f"NATS does not take message '{letter['_id']}'; it stays open. Redrive again when"
                    " GET /health/ready says that NATS is back."
                )
            redriven += await self.letters.decide([letter], DeadLetterStatus.REDRIVEN, deciding)
        return redriven


def _decided_otherwise(letter: Document, wanted: str) -> str:
    return (
        f"This dead letter is {letter['status']} since {letter['decided_at']:%Y-%m-%d %H:%M} UTC"
        f" by {letter['decided_by']}; it cannot be {wanted}."
    )
