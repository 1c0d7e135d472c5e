"""The connection to NATS: how every service connects, and how it subscribes to a stream in batches."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import TracebackType
from typing import Any

import nats.errors
import structlog
from faststream import AckPolicy
from faststream.nats import JStream, NatsBroker, PullSub
from faststream.nats.subscriber.usecases import BatchPullStreamSubscriber
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from contracts.streams import Consumer
from shared.messaging.settling import give_back
from shared.settings import ServiceSettings

log = structlog.get_logger()

PULL_SECONDS = 0.5
_RETRY_SECONDS = 0.2

BatchHandler = Callable[[list[Msg]], Awaitable[None]]
Wanted = Callable[[], Awaitable[int]]


def make_broker(settings: ServiceSettings, drain_seconds: float = 5.0) -> NatsBroker:
    """Return a broker that is not connected yet, reconnects for ever, and hands raw messages to its handlers."""
    return _Broker(
        settings.nats_servers,
        max_reconnect_attempts=-1,
        reconnect_time_wait=_RETRY_SECONDS,  # type: ignore[arg-type]  # nats-py takes a float
        connect_timeout=2,
        ping_interval=2,
        max_outstanding_pings=2,
        graceful_timeout=drain_seconds,
        apply_types=False,
        logger=None,
        error_cb=_on_error,
        disconnected_cb=_on_disconnected,
        reconnected_cb=_on_reconnected,
    )


class _Broker(NatsBroker):
    """Stops also while NATS is away, when the connection cannot be drained because it holds nothing."""

    async def stop(
        self,
        exc_type: type[BaseException] | None = None,
        exc_val: BaseException | None = None,
        exc_tb: TracebackType | None = None,
    ) -> None:
        try:
            await super().stop(exc_type, exc_val, exc_tb)
        except nats.errors.Error as error:
            log.warning("nats.not_drained", error=str(error) or type(error).__name__)
            # nats-py still tries to send what it holds, and uvloop does not write to a transport that is gone.
            with suppress(RuntimeError):
                await (await self.connect()).close()


async def _on_error(error: Exception) -> None:
    log.warning("nats.failed", error=str(error) or type(error).__name__)


async def _on_disconnected() -> None:
    log.warning("nats.disconnected")


async def _on_reconnected() -> None:
    log.info("nats.reconnected")


class _ReadySubscription(Subscription):
    """Hands over at once what has come already: to wait for it in a task of its own is a tenth of what an event costs."""

    async def next_msg(self, timeout: float | None = 1.0) -> Msg:  # noqa: ASYNC109  # the client's own signature
        if self._pending_queue.empty():
            return await super().next_msg(timeout)
        message: Msg = self._pending_queue.get_nowait()
        self._pending_size -= len(message.data)
        self._pending_queue.task_done()
        return message


class EagerBatchSubscriber(BatchPullStreamSubscriber):
    """Hands over whatever one fetch returned, instead of waiting out the timeout to fill a batch.

    It also outlives every error of a fetch: the base class's task ends with its batch on a bare TimeoutError. The
    consumer is bound by name and never created here; while it is missing, the subscriber keeps asking.

    One batch at a time is handled. Only when it was full, so that more is waiting, up to `ahead` more are fetched
    meanwhile: a batch that is written leaves the processor to the next.
    """

    wanted: Wanted
    ahead: int

    async def _create_subscription(self) -> None:
        if self.subscription:
            return
        self.subscription = await self.jetstream.pull_subscribe_bind(
            durable=self.extra_options["durable"], stream=self.stream.name
        )
        # The client makes it by itself; the class differs only in how a message is handed over.
        self.subscription._sub.__class__ = _ReadySubscription  # noqa: SLF001
        self.add_task(self._consume_pull)

    async def stop(self) -> None:
        """Let the pull under way end by itself: cancelled, it would leave its messages to their `ack_wait`."""
        self.running = False
        if self.tasks:
            await asyncio.wait(self.tasks, timeout=self._outer_config.graceful_timeout)
        await super().stop()

    async def _consume_pull(self) -> None:
        under_way: set[asyncio.Task[Any]] = set()
        async with asyncio.TaskGroup() as batches:
            while self.running:
                most = await self.wanted()
                messages = await self._fetch(most)
                if messages:
                    under_way.add(batches.create_task(self._handle(messages)))
                    await _until_left(under_way, self.ahead if len(messages) >= most else 0)

    async def _handle(self, messages: list[Msg]) -> None:
        """Hand the batch over, or back to the server when the subscriber was stopped while it came."""
        if self.running:
            await self.consume(messages)
        else:
            await asyncio.gather(*(give_back(message, 0) for message in messages))

    async def _fetch(self, most: int) -> list[Msg]:
        if self.subscription is None:
            return []
        try:
            return await self.subscription.fetch(batch=most, timeout=PULL_SECONDS)
        except (TimeoutError, nats.errors.TimeoutError):
            return []
        except nats.errors.Error as error:
            log.warning("pull.failed", consumer=self.extra_options["durable"], error=str(error) or type(error).__name__)
            await asyncio.sleep(_RETRY_SECONDS)
            return []


async def _until_left(under_way: set[asyncio.Task[Any]], most: int) -> None:
    """Wait until no more than so many are under way."""
    while len(under_way) > most:
        done, _ = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
        under_way -= done


def on_batches(
    broker: NatsBroker, consumer: Consumer, handler: BatchHandler, *, wanted: Wanted, description: str, ahead: int = 0
) -> EagerBatchSubscriber:
    """Subscribe `handler` to a durable consumer; `wanted` says before each pull how many messages may come.

    While a full batch is handled, `ahead` more may be.
    """
    subscriber: Any = broker.subscriber(
        consumer.filter_subject,
        stream=JStream(consumer.stream, declare=False),
        durable=consumer.name,
        pull_sub=PullSub(batch_size=1, batch=True),
        ack_policy=AckPolicy.MANUAL,
        decoder=_raw,
        description=description,
    )
    # FastStream builds its subscribers in a closed factory; the class differs from its own only in how it fetches.
    subscriber.__class__ = EagerBatchSubscriber
    subscriber.wanted = wanted
    subscriber.ahead = ahead
    subscriber(handler)
    return subscriber  # type: ignore[no-any-return]  # the class was set above


async def _raw(message: Any) -> list[Msg]:
    return message.raw_message  # type: ignore[no-any-return]  # FastStream types it by the broker
