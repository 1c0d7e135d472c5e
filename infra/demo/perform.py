"""Sends what the script says, in its order and at its pace."""

import asyncio
from collections.abc import Callable, Mapping
from typing import assert_never

import aiohttp

from contracts.agents import Scope
from infra.demo.client import Client, GatewayRefused, Json
from infra.demo.progress import Note, Progress
from infra.demo.script import Approve, Publish, Schedule, Script, Step, SwitchOff
from infra.demo.watch import take_decisions

ClientOf = Callable[[SwitchOff | Schedule | Approve], Client]

_PATIENCE_SECONDS = 30.0
_POLL_SECONDS = 0.2


class Performer:
    """Plays a script. What goes wrong is noted and the rest is played all the same."""

    def __init__(self, backends: Mapping[str, Client], person: ClientOf, progress: Progress) -> None:
        self._backends = backends
        self._person = person
        self._progress = progress

    async def play(self, script: Script) -> None:
        """Play every step."""
        for step in script.steps:
            try:
                await self._step(step)
            except (aiohttp.ClientError, TimeoutError, GatewayRefused) as error:
                self._progress.troubles.append(f"{_named(step)}: {error or type(error).__name__}")
            await asyncio.sleep(script.pace_seconds)

    async def _step(self, step: Step) -> None:
        match step:
            case Publish():
                await self._publish(step)
                return
            case SwitchOff():
                await self._person(step).switch_off(step)
            case Schedule():
                await self._person(step).schedule(step)
            case Approve():
                await self._approve(step)
            case _:
                assert_never(step)
        self._progress.entries.append(_note_of(step))

    async def _approve(self, step: Approve) -> None:
        person = self._person(step)
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while (proposal := await person.waiting_for(step.block_label, step.field)) is None:
                await asyncio.sleep(_POLL_SECONDS)
        await person.approve(proposal["id"])

    async def _publish(self, step: Publish) -> None:
        for event in step.events:
            if not self._progress.follow(event):
                self._progress.sent_again += 1
                note = Note(event.time, event.projectid, event.userid, event.type, "sent again: the same answer")
                self._progress.entries.append(note)
        self._take(await self._backends[step.organisation].publish(step.events), step)

    def _take(self, answer: Json, step: Publish) -> None:
        for id_ in take_decisions(self._progress, answer):
            self._progress.troubles.append(f"event '{id_}' was answered differently the second time")
        for error in answer.get("errors", ()):
            followed = self._progress.events[step.events[error["index"]].key]
            followed.refusals.append(f"{error['field'] or 'the event'}: {error['message']}")


def _note_of(step: SwitchOff | Schedule | Approve) -> Note:
    if isinstance(step, Approve):
        return Note(step.time, None, step.user, "proposal.approved", f"{step.block_label}.{step.field} of the memory")
    project = step.scope_id if step.scope is Scope.PROJECT else None
    says = "off" if isinstance(step, SwitchOff) else f"every {step.every_seconds} s"
    return Note(step.time, project, step.user, "binding.changed", f"{step.agent_key} {says} for this {step.scope}")


def _named(step: Step) -> str:
    match step:
        case SwitchOff():
            return f"switching {step.agent_key} off"
        case Schedule():
            return f"scheduling {step.agent_key}"
        case Approve():
            return f"approving {step.block_label}.{step.field}"
        case _:
            return _events_named(step)


def _events_named(step: Publish) -> str:
    return f"sending '{step.events[0].id}'" + (f" and {len(step.events) - 1} more" if len(step.events) > 1 else "")
