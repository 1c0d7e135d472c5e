"""Publishing by HTTP, on connections that are kept."""

from types import TracebackType
from typing import Self

import aiohttp

from infra.bench.load.job import Job

_TIMEOUT_SECONDS = 60
_ACCEPTED = 202


class NotAccepted(Exception):
    """The gateway answered something else than 202, so the measurement means nothing."""


class Gateway:
    """A client of the gateway with one connection for each caller."""

    def __init__(self, job: Job) -> None:
        media_type = "application/cloudevents-batch+json" if job.batch > 1 else "application/cloudevents+json"
        self._url = f"{job.gateway_url}/api/events"
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_TIMEOUT_SECONDS),
            headers={"Authorization": f"Bearer {job.token}", "Content-Type": media_type},
            timeout=aiohttp.ClientTimeout(total=_TIMEOUT_SECONDS),
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._session.close()

    async def publish(self, body: bytes) -> None:
        """Publish an event or a batch, and wait until it is accepted; raise `NotAccepted` when it is not."""
        async with self._session.post(self._url, data=body) as answer:
            content = await answer.read()
        if answer.status != _ACCEPTED:
            raise NotAccepted(f"{answer.status} from {self._url}: {content[:500].decode(errors='replace')}")
