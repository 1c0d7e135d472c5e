"""The one delivery policy: how a batch of messages ends, whatever happened to it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import structlog
from nats.aio.msg import Msg

from shared.errors import AppError, Permanent, Retryable
from shared.messaging.settling import deliveries, give_back, settle

log = structlog.get_logger()

Item = TypeVar("Item")

MOST_DELIVERIES_OF_A_BUG = 5


@dataclass(frozen=True, slots=True)
class Undeliverable:
    """A message that cannot be handled, and why."""

    subject: str
    payload: bytes
    code: str
    reason: str


class DeadLetters(Protocol):
    """Where messages go that cannot be handled."""

    async def keep(self, message: Undeliverable) -> None:
        """Keep the message for good, or raise Retryable; keeping it again counts it up."""


class BatchDelivery(Generic[Item]):
    """Parses messages, has the good ones handled together, and settles each message exactly once.

    Handled: acknowledged. Cannot be parsed: kept as a dead letter and terminated. A Retryable error: returned with a
    growing delay. Any other error is a bug: the messages are tried one by one, so that only the one that causes it is
    returned, and after some deliveries that one is kept as a dead letter.
    """

    def __init__(
        self,
        kind: str,
        parse: Callable[[Msg], Item],
        handle: Callable[[list[Item]], Awaitable[None]],
        dead_letters: DeadLetters,
    ) -> None:
        self._kind = kind
        self._parse = parse
        self._handle = handle
        self._dead_letters = dead_letters

    async def __call__(self, messages: list[Msg]) -> None:
        """Handle one batch; never raises for what the messages hold."""
        good: list[tuple[Msg, Item]] = []
        for message in messages:
            try:
                good.append((message, self._parse(message)))
            except Permanent as error:
                await self._bury(message, error.code, error.message)
        if good:
            await self._deliver(good)

    async def _deliver(self, batch: list[tuple[Msg, Item]]) -> None:
        try:
            await self._handle([item for _, item in batch])
        except Retryable as error:
            log.warning("delivery.postponed", kind=self._kind, count=len(batch), code=error.code, error=error.message)
            for message, _ in batch:
                await give_back(message, error.retry_after_seconds)
        except Exception as error:
            log.exception("delivery.failed", kind=self._kind, count=len(batch))
            await self._isolate(batch, error)
        else:
            for message, _ in batch:
                await settle(message.ack())

    async def _isolate(self, batch: list[tuple[Msg, Item]], error: Exception) -> None:
        if len(batch) > 1:
            for single in batch:
                await self._deliver([single])
            return
        message, _ = batch[0]
        if deliveries(message) >= MOST_DELIVERIES_OF_A_BUG:
            await self._bury(message, AppError.code, f"{type(error).__name__}: {error}")
        else:
            await give_back(message, None)

    async def _bury(self, message: Msg, code: str, reason: str) -> None:
        try:
            await self._dead_letters.keep(Undeliverable(message.subject, message.data, code, reason))
        except Retryable as error:
            log.warning("delivery.postponed", kind=self._kind, count=1, code=error.code, error=error.message)
            await give_back(message, error.retry_after_seconds)
        else:
            await settle(message.term())
