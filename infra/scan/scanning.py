"""A scan of planted tickets by the runner's own handler, on a MongoDB, and what it found of them."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from contracts.agents import CallMode, ModelTier
from infra.scan.planting import MadeTicket, Pair, Planted
from infra.scan.timing import Stopwatch, TimedEmbedder, TimedModel, TimedRetrieval
from services.runner.agents.model_calls import ModelCalls
from services.runner.agents.ticket_scan.handler import TicketScan, make_ticket_scan
from services.runner.agents.ticket_scan.judging import Judge
from services.runner.recorder import StepRecorder
from services.runner.tools.tool import stores_of
from services.runner.work import Attempt
from shared.catalog.ticket_conflict_scanner import agent
from shared.clock import utc_now
from shared.domain.run import Claim, RunStatus, Usage
from shared.domain.ticket import TicketFact
from shared.llm.port import Embedder, ModelClient
from shared.retrieval.port import Retrieval
from shared.store.mongo import Mongo
from shared.store.steps import StepStore
from shared.store.tickets import TicketStore

ORGANISATION, PROJECT = "scan", "planted"
_PART = 500


@dataclass(frozen=True, slots=True)
class Found:
    """What one scan found, took and left; `asked` are the pairs that the model was asked about."""

    duplicates: frozenset[Pair]
    conflicts: frozenset[Pair]
    asked: frozenset[Pair]
    figures: Mapping[str, Any]
    usage: Usage
    seconds: float
    seconds_of: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Scanner:
    """Scans one project again and again, each time as a run of its own."""

    mongo: Mongo
    model: ModelClient
    models: Mapping[ModelTier, str]
    embedder: Embedder | None
    retrieval: Retrieval
    timeout_seconds: float
    mode: CallMode = CallMode.PLAIN

    async def tell(self, tickets: Sequence[MadeTicket], at: datetime) -> None:
        """Have the project know these tickets, as if events had told of them."""
        facts = [
            TicketFact(ORGANISATION, PROJECT, each.id, _data(each), is_closed=False, event_id=each.id, at=at)
            for each in tickets
        ]
        for start in range(0, len(facts), _PART):
            await TicketStore(self.mongo.database).apply(facts[start : start + _PART])

    async def scan(self) -> Found:
        """Do one nightly scan, and have its run completed."""
        attempt = self._attempt(f"run_{uuid4().hex}")
        watch = Stopwatch()
        handler = self._handler(watch)
        started = time.perf_counter()
        done = await handler(attempt)
        seconds = time.perf_counter() - started
        await self.mongo.database["runs"].insert_one({"_id": attempt.claim.run_id, "status": RunStatus.COMPLETED})
        asked = self.mongo.database["ticket_pairs"].find({"run_id": attempt.claim.run_id}, {"tickets": 1})
        return Found(
            _pairs(done.output["duplicates"]),
            _pairs(done.output["conflicts"]),
            frozenset([frozenset(each["tickets"]) async for each in asked]),
            done.output["figures"],
            attempt.usage,
            seconds,
            watch.seconds,
        )

    def _handler(self, watch: Stopwatch) -> TicketScan:
        calls = ModelCalls(TimedModel(self.model, watch), self.timeout_seconds, self.mode)
        stores = stores_of(self.mongo.database)
        embedder = TimedEmbedder(self.embedder, watch) if self.embedder else None
        retrieval = TimedRetrieval(self.retrieval, watch)
        judge = Judge(calls, self.models)
        return make_ticket_scan(judge, stores.tickets, stores.pairs, retrieval, embedder, self.timeout_seconds)

    def _attempt(self, run_id: str) -> Attempt:
        claim = Claim(run_id, 1, "scan")
        whose = {"organisation": ORGANISATION, "project": PROJECT, "user": None}
        event = {"id": run_id, "type": "schedule.fired", "projectid": PROJECT, "data": {}}
        return Attempt(
            claim=claim,
            run={"_id": run_id, **whose, "target": {"type": "daily_session", "id": PROJECT}},
            spec=agent(2),
            event=event,
            steps=StepRecorder(StepStore(self.mongo.database), claim, utc_now),
        )


def score(found: frozenset[Pair], planted: frozenset[Pair]) -> tuple[float, float]:
    """Return recall and precision; of nothing both are 1."""
    right = len(found & planted)
    return right / len(planted) if planted else 1.0, right / len(found) if found else 1.0


def reached(found: Found, planted: Planted) -> float:
    """Return the part of the planted pairs that the model was asked about."""
    wanted = planted.duplicates | planted.conflicts
    return len(found.asked & wanted) / len(wanted) if wanted else 1.0


def _data(ticket: MadeTicket) -> dict[str, Any]:
    return {"ticket_id": ticket.id, "title": ticket.title, "description": ticket.description, "status": "open"}


def _pairs(entries: Sequence[Mapping[str, Any]]) -> frozenset[Pair]:
    """Return each two tickets of each entry: a group of three is three pairs."""
    return frozenset(
        frozenset({one, other})
        for entry in entries
        for at, one in enumerate(entry["ticket_ids"])
        for other in entry["ticket_ids"][at + 1 :]
    )
