"""Scans a project's tickets: finds likely pairs, has them judged, and asks people about what was found."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from services.runner.agents.indexing import NoProject
from services.runner.agents.ticket_scan.findings import Judgement, judged_pairs, output_of
from services.runner.agents.ticket_scan.indexing import TicketIndex
from services.runner.agents.ticket_scan.judging import Judge, unjudged
from services.runner.agents.ticket_scan.packing import Pack, packs
from services.runner.agents.ticket_scan.planning import Plan, Planner
from services.runner.recorder import Step
from services.runner.work import Attempt
from shared.domain.effect import effects_of
from shared.domain.effects.basis import Basis
from shared.domain.run import Done, Usage
from shared.domain.ticket import Ticket
from shared.errors import LimitReached
from shared.llm.port import Embedder
from shared.retrieval.port import Retrieval
from shared.store.ticket_pairs import TicketPairStore
from shared.store.tickets import TicketStore

_CALLS_TOGETHER = 4


@dataclass(slots=True)
class _Found:
    """What was judged so far; `left` pairs were not asked about, or not answered."""

    judgements: list[Judgement] = field(default_factory=list)
    left: int = 0


@dataclass(frozen=True, slots=True)
class TicketScan:
    """The handler `ticket_scan`. The version's instructions and output schema are those of judging one pack."""

    planner: Planner
    judge: Judge
    pairs: TicketPairStore

    async def __call__(self, attempt: Attempt) -> Done:
        """Return what was found; raise NoProject, or an error of a model before anything was judged."""
        organisation, project = attempt.run["organisation"], attempt.run["project"]
        if project is None:
            raise NoProject(
                f"{attempt.run['_id']} names no project, and tickets belong to one. Start the Agent for a project."
            )
        calls_before = attempt.usage.model_calls
        plan = await self._plan(attempt, organisation, project)
        attempt.usage = attempt.usage.plus(Usage(plan.figures.embedding_tokens))
        tickets = await self.planner.open_tickets(organisation, project)
        found = await self._judged(attempt, plan, tickets)
        if attempt.run.get("replay") is None:
            judged = judged_pairs(found.judgements, tickets)
            await self.pairs.record(organisation, project, attempt.claim.run_id, judged)
        figures = replace(
            plan.figures,
            compared=len(found.judgements),
            left=found.left,
            model_calls=attempt.usage.model_calls - calls_before,
        )
        target = attempt.run["target"]
        is_nightly = target["type"] == "daily_session"
        output = output_of(found.judgements, tickets, figures, is_nightly=is_nightly)
        basis = Basis({}, session_id=target["id"] if is_nightly else None)
        return Done(output, effects_of(output, attempt.spec.effects, basis))

    async def _plan(self, attempt: Attempt, organisation: str, project: str) -> Plan:
        """Find the pairs, as a step: what was asked by an attempt that was lost is asked alike by the next."""
        data = attempt.event.get("data") or {}
        asked_about: Sequence[str] = data.get("ticket_ids") or ()

        async def find(_: Step) -> dict[str, Any]:
            return (await self.planner.plan(organisation, project, asked_about)).as_json()

        request = {"project": project, "ticket_ids": list(asked_about)}
        return Plan.from_json(await attempt.steps.step("ticket_pairs", "plan", request, find))

    async def _judged(self, attempt: Attempt, plan: Plan, tickets: Mapping[str, Ticket]) -> _Found:
        """Ask about the pairs whose tickets are still open, a few calls at a time.

        Where a limit of the run ends the asking, what was judged by then counts, and the rest is left for the next
        scan, which asks about nothing twice.
        """
        open_pairs = [pair for pair in plan.pairs if tickets.keys() >= set(pair)]
        asked = list(packs(open_pairs, lambda ticket_id: len(tickets[ticket_id].text)))
        found = _Found()
        while asked:
            wave = asked[: self._width(attempt)]
            try:
                await self._judge_wave(attempt, wave, tickets, found)
            except LimitReached:
                if not found.judgements:
                    raise
                break
            del asked[: len(wave)]
        found.left += sum(len(pack.pairs) for pack in asked)
        return found

    def _width(self, attempt: Attempt) -> int:
        """Return how many calls may go on together: no more than the run may still make, and one to be told so."""
        most = attempt.spec.limits.request_limit
        return _CALLS_TOGETHER if most is None else max(1, min(_CALLS_TOGETHER, most - attempt.usage.model_calls))

    async def _judge_wave(
        self, attempt: Attempt, wave: Sequence[Pack], tickets: Mapping[str, Ticket], found: _Found
    ) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self.judge.ask(attempt, pack, tickets)) for pack in wave]
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        # One after the other: steps are numbered in the order in which they are asked for.
        for pack, task in zip(wave, tasks, strict=True):
            answer, judgements = task.result()
            if unjudged(pack, judgements):
                again = await self.judge.ask_again(attempt, pack, tickets, answer)
                judgements = max(judgements, again, key=len)
            found.judgements += judgements
            found.left += unjudged(pack, judgements)


def make_ticket_scan(
    judge: Judge,
    tickets: TicketStore,
    pairs: TicketPairStore,
    retrieval: Retrieval,
    embedder: Embedder | None,
    timeout_seconds: float,
) -> TicketScan:
    """Compose the handler; `timeout_seconds` bounds one call for vectors."""
    index = TicketIndex(tickets, retrieval, embedder, timeout_seconds)
    return TicketScan(Planner(tickets, pairs, index), judge, pairs)
