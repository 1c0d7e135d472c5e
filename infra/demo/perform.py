"""Sends what the script says, in its order and at its pace."""

import asyncio
from collections.abc import Callable, Mapping

import aiohttp

from contracts.agents import Scope
from infra.demo.client import Client, GatewayRefused, Json
from infra.demo.progress import Note, Progress
from infra.demo.script import Publish, Script, SwitchOff
from infra.demo.watch import take_decisions

ClientOf = Callable[[SwitchOff], Client]


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

    async def _step(self, step: Publish | SwitchOff) -> None:
        match step:
            case Publish():
                await self._publish(step)
            case SwitchOff():
                await self._person(step).switch_off(step)
                self._progress.entries.append(_note_of(step))

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


def _note_of(switch: SwitchOff) -> Note:
    project = switch.scope_id if switch.scope is Scope.PROJECT else None
    return Note(switch.time, project, switch.user, "binding.changed", f"{switch.agent_key} off for this {switch.scope}")


def _named(step: Publish | SwitchOff) -> str:
    if isinstance(step, SwitchOff):
        return f"switching {step.agent_key} off"
    return f"sending '{step.events[0].id}'" + (f" and {len(step.events) - 1} more" if len(step.events) > 1 else "")
