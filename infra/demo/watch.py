"""Looks at what became of the events, and brings the progress up to date."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from typing import Protocol

import aiohttp

from contracts.envelope import Event
from contracts.schedules import ScheduleFired
from infra.demo.client import Client, GatewayRefused, Json
from infra.demo.feed import RunFeed
from infra.demo.fires import Fire
from infra.demo.progress import Followed, Progress
from infra.demo.script import Due, Membership
from shared.errors import StorageUnavailable

MOST_ASKED_FOR = 20


class FireLog(Protocol):
    """Knows the fires of schedules."""

    async def all(self) -> list[Fire]:
        """Return the fires so far, oldest first."""


@dataclass(slots=True)
class Watch:
    """Follows events, the fires for these members and projects, and all their runs.

    `takes_fires` ends when no further fire shall be followed: schedules fire for ever, a demo ends. `troubles` says
    what of the last round failed, if anything did.
    """

    progress: Progress
    members: frozenset[Membership]
    due: frozenset[Due]
    clients: Mapping[str, Client]
    feeds: Mapping[str, RunFeed]
    fires: FireLog
    takes_fires: bool = True
    troubles: dict[str, str] = field(default_factory=dict)

    async def look(self) -> None:
        """Look at fires and at runs that changed."""
        with self._noting("looking"):
            await self._see_fires()
            await self._see_runs()

    async def ask(self) -> None:
        """Ask by name for decisions that were pending, and for runs that the list did not show to their end."""
        with self._noting("asking again"):
            await self._ask_for_decisions()
            await self._ask_for_runs()

    def not_fired(self) -> list[Due]:
        """Return what is due and has not fired yet."""
        fired = {_fired(followed.event) for followed in self.progress.fires}
        return sorted(self.due - fired, key=lambda due: (due.agent_key, due.project, due.user))

    @contextmanager
    def _noting(self, what: str) -> Iterator[None]:
        self.troubles.pop(what, None)
        try:
            yield
        except (aiohttp.ClientError, TimeoutError, GatewayRefused, StorageUnavailable) as error:
            self.troubles[what] = f"{what} failed: {error or type(error).__name__}"

    async def _see_fires(self) -> None:
        for fire in await self.fires.all():
            if self.takes_fires and self._is_for_us(fire.event):
                self.progress.follow(fire.event, is_fire=True)
            if fire.decisions is not None and fire.event.key in self.progress.events:
                self.progress.decide(fire.event.key, fire.decisions)

    def _is_for_us(self, event: Event) -> bool:
        if event.userid is None:
            return any(
                (each.organisation, each.project) == (event.organisationid, event.projectid) for each in self.members
            )
        return membership(event) in self.members

    async def _see_runs(self) -> None:
        for feed in self.feeds.values():
            for run in await feed.changed():
                self.progress.see_run(run)

    async def _ask_for_decisions(self) -> None:
        """Send the events again: the same event gets the same answer, and by now perhaps a whole one."""
        pending = [each for each in self.progress.undecided() if not each.is_fire][:MOST_ASKED_FOR]
        for organisation, group in groupby(pending, key=_organisation):
            answer = await self.clients[organisation].publish([each.event for each in group])
            take_decisions(self.progress, answer)

    async def _ask_for_runs(self) -> None:
        for organisation, run_id in self.progress.unended_runs()[:MOST_ASKED_FOR]:
            self.progress.see_run(await self.clients[organisation].run(run_id))


def take_decisions(progress: Progress, answer: Json) -> list[str]:
    """Take the decisions of an answer to a publish; return the ids of events that were answered differently before."""
    decided = [each for each in answer["events"] if not each["pending"]]
    return [each["id"] for each in decided if not progress.decide(each["key"], each["decisions"])]


def _fired(event: Event) -> Due | None:
    if not isinstance(event, ScheduleFired):
        return None
    return Due(event.data.agent_key, event.organisationid, event.projectid or "", event.userid or "")


def membership(event: Event) -> Membership:
    """Return for whom in which project the event is."""
    return Membership(event.organisationid, event.projectid or "", event.userid or "")


def _organisation(followed: Followed) -> str:
    return followed.event.organisationid
