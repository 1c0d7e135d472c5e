"""Learns from the stream of run events when runs start and end, as anyone could who listens."""

import asyncio
import time
from types import TracebackType
from typing import Self

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg

from contracts.subjects import last_id, token
from infra.bench.load.job import Job
from shared.messaging.barrier import taken_by_server

_STARTED = b'"type":"run.started"'
_COMPLETED = b'"type":"run.completed"'
# The type stands at the beginning of the envelope; looking no further keeps this cheap.
_HEAD_BYTES = 200


class Follower:
    """Notes when each run of one Agent and organisation was told to have started and ended, by this process's clock."""

    def __init__(self, job: Job) -> None:
        self._url = job.nats_url
        self._subject = f"runevent.{token(job.organisation)}.*.{token(job.agent_key)}.*"
        self._client: Client | None = None
        self._waiting: dict[str, asyncio.Future[None]] = {}
        self.started: dict[str, float] = {}
        self.ended: dict[str, float] = {}

    async def __aenter__(self) -> Self:
        self._client = await nats.connect(self._url, connect_timeout=2, max_reconnect_attempts=1)
        await self._client.subscribe(self._subject, cb=self.on_told, pending_msgs_limit=-1, pending_bytes_limit=-1)
        await taken_by_server(self._client)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._client is not None:
            await self._client.close()

    async def end_of(self, run_id: str) -> None:
        """Wait until the run is told to be completed."""
        if run_id not in self.ended:
            waiting = self._waiting.setdefault(run_id, asyncio.get_running_loop().create_future())
            await waiting

    async def on_told(self, message: Msg) -> None:
        """Take one run event."""
        head = message.data[:_HEAD_BYTES]
        if _COMPLETED in head:
            run_id = last_id(message.subject)
            self.ended[run_id] = time.time()
            waiting = self._waiting.pop(run_id, None)
            if waiting is not None:
                waiting.set_result(None)
        elif _STARTED in head:
            self.started.setdefault(last_id(message.subject), time.time())
