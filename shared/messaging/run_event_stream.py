"""Reads the RUN_EVENTS stream by sequence: what is still kept of it, page by page, and what comes next."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import nats.errors
import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, ConsumerInfo, DeliverPolicy

from contracts.streams import RUN_EVENTS
from contracts.subjects import RUN_EVENT_SUBJECTS
from shared.domain.run_feed import Told
from shared.errors import MessagingUnavailable

_TIMEOUT_SECONDS = 2.0
_PULL_SECONDS = 0.5
_MOST_AT_ONCE = 500
_FORGOTTEN_AFTER_SECONDS = 30.0
"""The server removes a consumer that nobody has asked for so long."""


@dataclass(frozen=True, slots=True)
class StreamState:
    """When the stream was created, in milliseconds since 1970; the first sequence it still has, and the last it gave."""

    created_ms: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Page:
    """Facts in order, of the stream as it then was; `reached` is the sequence up to which there are no others."""

    told: Sequence[Told]
    reached: int
    state: StreamState


class RunEventStream:
    """Everything here raises MessagingUnavailable while NATS, or the stream, does not answer."""

    def __init__(self) -> None:
        self._client: Client | None = None

    def attach(self, client: Client) -> None:
        """Read over this connection from now on."""
        self._client = client

    @property
    def is_connected(self) -> bool:
        return self._client is not None and self._client.is_connected

    async def state(self) -> StreamState:
        """Return what the stream holds now."""
        with _messaging_errors():
            info = await self._jetstream().stream_info(RUN_EVENTS.name)
        if info.created is None:
            raise MessagingUnavailable("NATS does not say when the stream RUN_EVENTS was created.")
        created_ms = int(info.created.timestamp() * 1_000)
        return StreamState(created_ms, info.state.first_seq, info.state.last_seq)

    async def page(self, after: int, pattern: str, most: int = _MOST_AT_ONCE) -> Page:
        """Return the facts under this pattern that follow a sequence, the first ones of them."""
        state = await self.state()
        with _messaging_errors():
            jetstream = self._jetstream()
            consumer = await _read_from(jetstream, after, pattern)
            try:
                messages = await _fetched(jetstream, consumer, most) if consumer.num_pending else []
            finally:
                await jetstream.delete_consumer(RUN_EVENTS.name, consumer.name)
        _check_gapless(messages, 0)
        # What was there when the state was read has come, once the server says that nothing is left.
        is_all = not messages or not messages[-1].metadata.num_pending
        last = _sequence(messages[-1]) if messages else after
        return Page(_facts(messages), max(state.last, last) if is_all else last, state)

    async def tail(self, after: int) -> "Tail":
        """Return what hands over every fact that follows a sequence, as it comes."""
        with _messaging_errors():
            jetstream = self._jetstream()
            consumer = await _read_from(jetstream, after, RUN_EVENT_SUBJECTS)
            return Tail(await jetstream.pull_subscribe_bind(consumer=consumer.name, stream=RUN_EVENTS.name))

    def _jetstream(self) -> JetStreamContext:
        if self._client is None or not self.is_connected:
            raise MessagingUnavailable("NATS is not connected.")
        return self._client.jetstream(timeout=_TIMEOUT_SECONDS)


class Tail:
    """The end of the stream. A message that was lost on its way is an error: then it is begun again from there."""

    def __init__(self, subscription: JetStreamContext.PullSubscription) -> None:
        self._subscription = subscription
        self._delivered = 0

    async def next(self) -> tuple[Sequence[Told], int | None]:
        """Return what has come, and up to which sequence that is everything; nothing and None after half a second."""
        with _messaging_errors():
            try:
                messages = await self._subscription.fetch(_MOST_AT_ONCE, timeout=_PULL_SECONDS)
            except TimeoutError:
                return (), None
        if not messages:
            return (), None
        _check_gapless(messages, self._delivered)
        self._delivered += len(messages)
        return _facts(messages), _sequence(messages[-1])

    async def stop(self) -> None:
        with _messaging_errors():
            await self._subscription.unsubscribe()


async def _read_from(jetstream: JetStreamContext, after: int, pattern: str) -> ConsumerInfo:
    config = ConsumerConfig(
        filter_subject=pattern,
        deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
        opt_start_seq=after + 1,
        ack_policy=AckPolicy.NONE,
        inactive_threshold=_FORGOTTEN_AFTER_SECONDS,
        mem_storage=True,
        num_replicas=1,
    )
    return await jetstream.add_consumer(RUN_EVENTS.name, config)


async def _fetched(jetstream: JetStreamContext, consumer: ConsumerInfo, most: int) -> list[Msg]:
    reading = await jetstream.pull_subscribe_bind(consumer=consumer.name, stream=RUN_EVENTS.name)
    try:
        return await reading.fetch(min(most, consumer.num_pending or 0), timeout=_TIMEOUT_SECONDS)
    finally:
        await reading.unsubscribe()


def _check_gapless(messages: Sequence[Msg], delivered: int) -> None:
    """Raise MessagingUnavailable when one that the server sent has not come: nobody acknowledges, so none is repeated."""
    for number, message in enumerate(messages, delivered + 1):
        if message.metadata.sequence.consumer != number:
            raise MessagingUnavailable("A message of the stream RUN_EVENTS was lost on its way.")


def _sequence(message: Msg) -> int:
    return int(message.metadata.sequence.stream)


def _facts(messages: Sequence[Msg]) -> list[Told]:
    """Return the facts in these messages; what is none, because somebody else published it, is left out."""
    return [fact for message in messages if (fact := _fact(message)) is not None]


def _fact(message: Msg) -> Told | None:
    try:
        type_ = orjson.loads(message.data)["type"]
        return Told(_sequence(message), message.subject, str(type_), message.data.decode())
    except (ValueError, TypeError, KeyError):
        return None


@contextmanager
def _messaging_errors() -> Iterator[None]:
    try:
        yield
    except (TimeoutError, nats.errors.Error) as error:
        raise MessagingUnavailable(f"NATS does not answer: {str(error) or type(error).__name__}") from error
