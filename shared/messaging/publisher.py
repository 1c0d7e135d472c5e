"""What the services say over NATS. MongoDB has the truth, so what is lost here is said again by the sweep."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

import nats.errors
import structlog
from nats.aio.client import Client
from nats.js import JetStreamContext

from contracts.lanes import Queue
from contracts.streams import RUN_EVENTS
from contracts.subjects import dead_subject, event_subject, run_subject
from shared.domain.run_event import RunEventMessage

log = structlog.get_logger()

MESSAGE_ID = "Nats-Msg-Id"
"""The header by which a stream keeps what is published twice within two minutes once."""
_CONFIRM_SECONDS = 2


class Publisher:
    """Publishes on one connection. Nothing here raises because NATS is away."""

    def __init__(self) -> None:
        self._client: Client | None = None
        self._jetstream: JetStreamContext | None = None

    def attach(self, client: Client) -> None:
        """Publish on this connection from now on; until then nothing is sent."""
        self._client = client
        self._jetstream = client.jetstream(timeout=_CONFIRM_SECONDS)

    async def event(self, type: str, organisation: str, json: bytes, headers: dict[str, str]) -> bool:
        """Publish an accepted event, unconfirmed; return whether it was at least sent."""
        return await self._send(event_subject(type, organisation), json, headers)

    async def dispatch(
        self, runs: Iterable[tuple[Queue, str]], carried: Mapping[str, bytes] = MappingProxyType({})
    ) -> None:
        """Put each run into its queue, unconfirmed; the server refuses a run that is there already.

        `carried` is what the runner is given along with it, by the run's id: it saves a read, and may be missing.
        """
        for queue, run_id in runs:
            if not await self._send(run_subject(queue, run_id), carried.get(run_id, b""), None):
                return

    async def tell(self, subject: str, json: bytes) -> None:
        """Say something to whoever listens now."""
        await self._send(subject, json, None)

    async def run_events(self, messages: Sequence[RunEventMessage]) -> None:
        """Tell facts of runs, unconfirmed."""
        for message in messages:
            if not await self._send(message.subject, message.json, {MESSAGE_ID: message.id}):
                return

    async def run_events_confirmed(self, messages: Sequence[RunEventMessage]) -> bool:
        """Tell facts of runs; return whether the stream has confirmed every one."""
        if self._jetstream is None or not self.is_connected:
            return False
        try:
            confirmations = [
                await self._jetstream.publish_async(message.subject, message.json, headers={MESSAGE_ID: message.id})
                for message in messages
            ]
            async with asyncio.timeout(_CONFIRM_SECONDS):
                await asyncio.gather(*confirmations)
        except (TimeoutError, nats.errors.Error) as error:
            log.warning("run_events.unconfirmed", count=len(messages), error=str(error) or type(error).__name__)
            return False
        return True

    async def untold(self, messages: Sequence[RunEventMessage]) -> list[RunEventMessage]:
        """Return those that the stream does not hold as the last fact of their run; all of them while nobody can say."""
        if self._jetstream is None or not self.is_connected:
            return list(messages)
        last = await asyncio.gather(*(self._last_told(self._jetstream, message.subject) for message in messages))
        return [message for message, id_ in zip(messages, last, strict=True) if id_ != message.id]

    async def _last_told(self, jetstream: JetStreamContext, subject: str) -> str | None:
        try:
            last = await jetstream.get_last_msg(RUN_EVENTS.name, subject)
        except (TimeoutError, nats.errors.Error):
            return None
        return (last.headers or {}).get(MESSAGE_ID)

    async def again(self, subject: str, payload: bytes) -> bool:
        """Publish a message once more as it came; return whether its stream has confirmed it."""
        if self._jetstream is None or not self.is_connected:
            return False
        try:
            await self._jetstream.publish(subject, payload, timeout=_CONFIRM_SECONDS)
        except (TimeoutError, nats.errors.Error) as error:
            log.warning("publish.unconfirmed", subject=subject, error=str(error) or type(error).__name__)
            return False
        return True

    async def dead_letter(self, kind: str, key: str, payload: bytes, reason: str, subject: str) -> bool:
        """Tell of a message that cannot be handled, with the reason; return whether the stream has confirmed it."""
        if self._jetstream is None or not self.is_connected:
            return False
        headers = {"Towpath-Reason": _header_text(reason), "Towpath-Subject": subject, MESSAGE_ID: key}
        try:
            await self._jetstream.publish(dead_subject(kind, key), payload, timeout=_CONFIRM_SECONDS, headers=headers)
        except (TimeoutError, nats.errors.Error) as error:
            log.warning("dead_letter.unconfirmed", kind=kind, key=key, error=str(error) or type(error).__name__)
            return False
        return True

    async def _send(self, subject: str, payload: bytes, headers: dict[str, str] | None) -> bool:
        if self._client is None or not self.is_connected:
            return False
        try:
            await self._client.publish(subject, payload, headers=headers)
        except (nats.errors.Error, OSError) as error:
            log.warning("publish.failed", subject=subject, error=str(error) or type(error).__name__)
            return False
        return True

    async def answers(self) -> bool:
        """Ask the server whether it is there; a socket that is connected says little."""
        if self._client is None or not self.is_connected:
            return False
        try:
            await self._client.flush(timeout=_CONFIRM_SECONDS)
        except (TimeoutError, nats.errors.Error, OSError):
            return False
        return True

    @property
    def is_connected(self) -> bool:
        """False while NATS is away: nothing is buffered then, since it might be stale by the time it is sent."""
        return self._client is not None and self._client.is_connected


def _header_text(text: str) -> str:
    return " ".join(text.split())[:1_000]
