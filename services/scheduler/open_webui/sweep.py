"""Mirrors ended runs into Open WebUI, for each user who has connected, and says on the connection how it goes."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

import aiohttp
import orjson
import structlog

from services.scheduler.leader import Leader
from services.scheduler.open_webui.client import (
    OpenWebUI,
    OpenWebUIKeyRefused,
    OpenWebUIRefused,
    OpenWebUIUnavailable,
)
from services.scheduler.open_webui.mirror import mirror
from services.scheduler.open_webui.thread import thread_of
from shared.clock import Clock
from shared.domain.configuration import Configuration
from shared.domain.open_webui import Thread, pause_after
from shared.domain.transcript import transcript
from shared.errors import AppError, NotFound
from shared.sealing import SealBroken, Sealer
from shared.settings import SchedulerSettings
from shared.store.events import EventStore
from shared.store.mongo import Database, Document
from shared.store.open_webui import Connection, ConnectionStatus, OpenWebUIStore
from shared.store.steps import StepStore

log = structlog.get_logger()

_AT_ONCE = 8
_BATCH = 100
_MOST_RUNS = 20
_LOOK_EVERY = timedelta(seconds=10)
_TICK_SECONDS = 1.0
_REQUESTS_OF_A_RUN = 8


@dataclass(frozen=True, slots=True)
class Mirroring:
    """Looks while this process leads. What was cut short is begun again, and finds what there is already."""

    store: OpenWebUIStore
    events: EventStore
    steps: StepStore
    configuration: Configuration
    sealer: Sealer
    settings: SchedulerSettings
    leader: Leader
    clock: Clock

    async def run(self) -> None:
        """Look until cancelled."""
        async with aiohttp.ClientSession() as session:
            await self.leader.keep_doing("open_webui", lambda: self.sweep(session), _TICK_SECONDS)

    async def sweep(self, session: aiohttp.ClientSession) -> None:
        """Look after the connections that are due, a few at a time."""
        room = asyncio.Semaphore(_AT_ONCE)

        async def one(connection: Connection) -> None:
            async with room:
                await self._look_after(connection, session)

        due = await self.store.due(self.clock(), _BATCH)
        try:
            async with asyncio.TaskGroup() as group:
                for connection in due:
                    group.create_task(one(connection))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None

    async def _look_after(self, connection: Connection, session: aiohttp.ClientSession) -> None:
        if not await self.store.take(connection, self.clock(), self._held_until()):
            return
        try:
            key = self.sealer.open(connection.sealed_key, connection.id)
            client = OpenWebUI(session, self.settings.open_webui_url, key, self.settings.open_webui_timeout_seconds)
            refused, is_all = await self._mirror_all(connection, client)
        except (OpenWebUIKeyRefused, SealBroken) as error:
            await self._give_up(connection, error, connection.attempts + 1)
        except OpenWebUIUnavailable as error:
            await self._try_again(connection, error)
        else:
            now = self.clock()
            due_at = now + _LOOK_EVERY if is_all else now
            await self.store.settle(connection, ConnectionStatus.CONNECTED, now, due_at, refused)

    async def _mirror_all(self, connection: Connection, client: OpenWebUI) -> tuple[Document | None, bool]:
        """Mirror what has ended, oldest first; return a refusal to show, of now or before, and whether that was all."""
        if connection.status is not ConnectionStatus.CONNECTED:
            await client.check()
        refused = connection.failure if connection.status is ConnectionStatus.CONNECTED else None
        runs = await self.store.to_mirror(connection, _MOST_RUNS)
        for run in runs:
            try:
                chat_id = await _mirrored(client, await self._thread(run))
            except OpenWebUIRefused as error:
                chat_id, refused = None, self._failure(error, 1, run["_id"])
                log.warning("chat.refused", run_id=run["_id"], code=error.code, detail=error.message)
            if not await self.store.record(connection, run, chat_id, self._held_until()):
                break
            log.info("chat.mirrored", run_id=run["_id"], organisation=connection.organisation, chat_id=chat_id)
        return refused, len(runs) < _MOST_RUNS

    def _held_until(self) -> datetime:
        """Until when a leader that has just lost the lease, and is still at a run, is left alone."""
        return self.clock() + timedelta(seconds=_REQUESTS_OF_A_RUN * self.settings.open_webui_timeout_seconds)

    async def _thread(self, run: Document) -> Thread:
        version = self.configuration.agent(run["organisation"], run["agent_key"])
        name = run["agent_key"] if version is None else version.spec.name
        address = self.settings.thread_url.replace("{run_id}", run["_id"]) or None
        events = await self.events.load([run["event_key"]])
        event = None if run["event_key"] not in events else orjson.loads(events[run["event_key"]]["json"])
        return thread_of(run, name, event, transcript(await self._steps(run)), address)

    async def _steps(self, run: Document) -> list[tuple[Document, Document | None]]:
        """Return the steps with their results; one whose result went with age has none any more."""
        return [(step, await self._result(step)) for step in await self.steps.of_run(run["_id"])]

    async def _result(self, step: Document) -> Document | None:
        try:
            return None if step["finished_at"] is None else await self.steps.result_of(step)
        except NotFound:
            return None

    async def _try_again(self, connection: Connection, error: AppError) -> None:
        attempts = connection.attempts + 1
        pause = pause_after(attempts)
        if pause is None:
            await self._give_up(connection, error, attempts)
            return
        now = self.clock()
        failure = self._failure(error, attempts)
        await self.store.settle(connection, ConnectionStatus.RETRYING, now, now + pause, failure, attempts)
        log.warning("mirroring.postponed", organisation=connection.organisation, code=error.code, detail=error.message)

    async def _give_up(self, connection: Connection, error: AppError, attempts: int) -> None:
        failure = self._failure(error, attempts)
        await self.store.settle(connection, ConnectionStatus.FAILED, self.clock(), None, failure, attempts)
        log.error("mirroring.stopped", organisation=connection.organisation, code=error.code, detail=error.message)

    def _failure(self, error: AppError, attempts: int, run_id: str | None = None) -> Document:
        failure = {"code": error.code, "detail": error.message, "at": self.clock(), "attempts": attempts}
        return failure if run_id is None else {**failure, "run_id": run_id}


async def _mirrored(client: OpenWebUI, thread: Thread) -> str:
    """Mirror; a 401 that is not about the key means that something was deleted meanwhile, so it is tried again."""
    try:
        return await mirror(client, thread)
    except OpenWebUIKeyRefused:
        await client.check()
        raise OpenWebUIUnavailable("Open WebUI takes the key, but did not find a folder or chat that it had.") from None


def make_mirroring(
    settings: SchedulerSettings, database: Database, configuration: Configuration, leader: Leader, clock: Clock
) -> Mirroring | None:
    """Compose the mirroring; None when there is no Open WebUI."""
    if not settings.open_webui_url:
        return None
    stores = OpenWebUIStore(database), EventStore(database), StepStore(database)
    return Mirroring(*stores, configuration, Sealer(settings.credentials_keys), settings, leader, clock)
