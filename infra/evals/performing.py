"""Doing a case: the Agent's own handler, with real tools on a real database, on whichever model."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from contracts.agents import AgentSpec
from contracts.envelope import Event
from infra.evals.case import Case
from infra.evals.judging import Judgement, judge
from infra.evals.steps import no_record
from infra.evals.world import NOW, event_of, organisation_of
from services.runner.recorder import StepRecorder
from services.runner.work import Attempt, Handler
from shared.domain.decision import Target
from shared.domain.projection import proposals_of
from shared.domain.run import Claim, Done, Usage
from shared.domain.target import target_of
from shared.errors import AppError, Retryable
from shared.store.run_documents import NewRun, run_document

_ATTEMPTS = 4
_FIRST_PAUSE_SECONDS = 2.0

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Performance:
    """One time that a case was done. Without a judgement, `error` says why it could not be."""

    agent: str
    case: Case
    judgement: Judgement | None = None
    error: str | None = None
    usage: Usage = field(default_factory=Usage)
    output: Mapping[str, Any] = field(default_factory=dict)
    effects: tuple[Document, ...] = ()
    proposals: tuple[Document, ...] = ()

    @property
    def passed(self) -> bool:
        return self.judgement is not None and self.judgement.passed


async def perform(spec: AgentSpec, case: Case, handlers: Mapping[str, Handler]) -> Performance:
    """Do a case and judge it; what a provider refuses for the moment is asked again a few times."""
    attempt = _attempt(spec, case)
    try:
        done = await _done(attempt, handlers[spec.handler])
    except AppError as error:
        return Performance(spec.key, case, error=f"{error.code}: {error.message}", usage=attempt.usage)
    except TimeoutError:
        return Performance(spec.key, case, error=f"not done after {spec.timeout_seconds} s", usage=attempt.usage)
    return Performance(
        spec.key,
        case,
        judge(case, spec.effects, done.output, done.effects),
        usage=attempt.usage,
        output=done.output,
        effects=tuple(done.effects),
        proposals=tuple(proposals_of({**attempt.run, "finished_at": NOW, "effects": done.effects})),
    )


async def _done(attempt: Attempt, handler: Handler) -> Done:
    pause_seconds = _FIRST_PAUSE_SECONDS
    for _ in range(_ATTEMPTS - 1):
        try:
            async with asyncio.timeout(attempt.spec.timeout_seconds):
                return await handler(attempt)
        except Retryable as error:
            await asyncio.sleep(error.retry_after_seconds or pause_seconds)
            pause_seconds *= 2
    async with asyncio.timeout(attempt.spec.timeout_seconds):
        return await handler(attempt)


def run_of(spec: AgentSpec, case: Case, event: Event) -> NewRun:
    """Return the run that the event of the case starts; raises ValueError for an event that does not start the Agent."""
    return NewRun(
        id=f"run_{spec.key}_{case.id}",
        event_key=event.key,
        event_id=event.id,
        event_type=event.type,
        organisation=organisation_of(spec.key, case),
        project=event.projectid,
        user=event.userid,
        agent_key=spec.key,
        agent_version=1,
        target=_target(spec, event),
        lane=spec.priority_level,
        queued_at=NOW,
    )


def _attempt(spec: AgentSpec, case: Case) -> Attempt:
    event = event_of(spec.key, case)
    run = run_of(spec, case, event)
    claim = Claim(run.id, 1, "evals")
    return Attempt(
        claim=claim,
        run=run_document(run),
        spec=spec,
        event=orjson.loads(event.to_json()),
        steps=StepRecorder(no_record(), claim, lambda: NOW),
    )


def _target(spec: AgentSpec, event: Event) -> Target:
    """Return what the run is about, as the gate reads it."""
    if event.type == "schedule.fired" and spec.schedule_trigger is not None:
        return target_of(spec.schedule_trigger.target, event)
    for trigger in spec.triggers:
        if trigger.event == event.type:
            return target_of(trigger.target, event)
    raise ValueError(f"event: {event.type} does not start {spec.key}")
