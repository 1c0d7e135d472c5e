"""One demo from beginning to end: start everything, play, follow, show what came of it, stop everything."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from time import monotonic

import aiohttp
from rich.console import Console

from infra.demo.client import Client
from infra.demo.display import Display, Lines, LiveTable
from infra.demo.ending import Ending
from infra.demo.feed import RunFeed
from infra.demo.fires import Fires
from infra.demo.follow import Patience, follow
from infra.demo.perform import Performer
from infra.demo.progress import Progress
from infra.demo.script import Approve, Person, Schedule, Script, SwitchOff
from infra.demo.stage import stop_services
from infra.demo.summary import Elapsed
from infra.demo.watch import Watch
from infra.local.stack import Stack
from shared.settings import ServiceSettings

REQUEST_TIMEOUT = aiohttp.ClientTimeout(total=15)
OFFLINE_PATIENCE_SECONDS = 30.0
# Longer than a call of a real model may take.
PATIENCE_SECONDS = 180.0
FIRES_PATIENCE_SECONDS = 20.0


def status(console: Console, text: str) -> AbstractContextManager[object]:
    """Show what is being done, as long as it lasts, to whoever watches."""
    return console.status(text) if console.is_interactive else nullcontext()


@dataclass(frozen=True, slots=True)
class Demo:
    """Starts a stack and plays a script on it; with `awaits_fires` what is due must fire."""

    script: Script
    stack: Stack
    console: Console
    awaits_fires: bool

    async def run(self) -> int:
        """Return 0 only when nothing is missing at the end."""
        begun_at = monotonic()
        with status(self.console, "starting servers and services"):
            await self.stack.open()
        is_complete = await self._play(begun_at)
        if not is_complete:
            self.console.print(f"Logs: {self.stack.log_folder}", markup=False, soft_wrap=True)
        with status(self.console, "stopping"):
            await stop_services(self.stack)
        return 0 if is_complete else 1

    async def _play(self, begun_at: float) -> bool:
        started_at, progress = monotonic(), Progress()
        async with aiohttp.ClientSession(self.stack.gateway_url, timeout=REQUEST_TIMEOUT) as session:
            backends = {name: self._client(session, name, "backend", ["backend"]) for name in self.script.organisations}
            await self._follow_the_play(session, backends, progress)
            progress.troubles += self.stack.deaths
            elapsed = Elapsed(started_at - begun_at, monotonic() - started_at)
            ending = Ending(self.script, progress, backends, partial(self._person, session), self.console)
            return await ending.show(elapsed)

    async def _follow_the_play(
        self, session: aiohttp.ClientSession, backends: Mapping[str, Client], progress: Progress
    ) -> None:
        performer = Performer(backends, partial(self._acting, session), progress)
        played = asyncio.Event()
        with self._fires() as fires, self._display(progress) as display:
            async with asyncio.TaskGroup() as tasks:
                watch = self._watch(progress, backends, fires)
                tasks.create_task(follow(watch, played, display.show, self._patience))
                await performer.play(self.script)
                played.set()

    def _watch(self, progress: Progress, backends: Mapping[str, Client], fires: Fires) -> Watch:
        since = datetime.now(UTC)
        feeds = {name: RunFeed(client, since) for name, client in backends.items()}
        return Watch(progress, self.script.members, self.script.due, backends, feeds, fires)

    @contextmanager
    def _fires(self) -> Iterator[Fires]:
        settings = ServiceSettings(nats_url=self.stack.nats_url, mongodb_url=self.stack.mongodb_url)
        fires = Fires(settings, self.script.organisations, since=datetime.now(UTC))
        try:
            yield fires
        finally:
            fires.close()

    def _display(self, progress: Progress) -> Display:
        if not self.console.is_interactive:
            return Lines(self.console, progress)
        return LiveTable(self.console, progress, total=self.script.size)

    @property
    def _patience(self) -> Patience:
        is_offline = self.stack.settings.offline_model_url is not None
        stillness_seconds = OFFLINE_PATIENCE_SECONDS if is_offline else PATIENCE_SECONDS
        return Patience(stillness_seconds, FIRES_PATIENCE_SECONDS if self.awaits_fires else 0.0)

    def _person(self, session: aiohttp.ClientSession, person: Person) -> Client:
        return self._client(session, person.organisation, person.user, [])

    def _acting(self, session: aiohttp.ClientSession, step: SwitchOff | Schedule | Approve) -> Client:
        roles = () if isinstance(step, Approve) else step.roles
        projects = step.projects if isinstance(step, SwitchOff) else ()
        return self._client(session, step.organisation, step.user, roles, projects)

    def _client(
        self,
        session: aiohttp.ClientSession,
        organisation: str,
        user: str,
        roles: Sequence[str],
        projects: Sequence[str] = (),
    ) -> Client:
        return Client(session, self.stack.token(organisation, user, roles, projects))
