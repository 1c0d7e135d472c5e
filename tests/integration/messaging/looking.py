"""Looking at streams and consumers from outside."""

from collections.abc import Sequence

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import ConsumerInfo

from contracts.streams import GATING, Consumer
from contracts.subjects import event_subject
from tests.support.waiting import until_seen


async def publish_events(client: Client, *payloads: bytes) -> None:
    """Put messages into EVENTS, each confirmed."""
    jetstream = client.jetstream()
    for payload in payloads:
        await jetstream.publish(event_subject("checkin.submitted", "acme"), payload)


async def take(client: Client, count: int, consumer: Consumer = GATING, timeout_seconds: float = 10.0) -> list[Msg]:
    """Pull messages until there are as many as wanted."""
    subscription = await client.jetstream().pull_subscribe_bind(durable=consumer.name, stream=consumer.stream)
    taken: list[Msg] = []
    while len(taken) < count:
        taken.extend(await subscription.fetch(count - len(taken), timeout=timeout_seconds))
    await subscription.unsubscribe()
    return taken


async def state_of(client: Client, consumer: Consumer = GATING) -> ConsumerInfo:
    info: ConsumerInfo = await client.jetstream().consumer_info(consumer.stream, consumer.name)
    return info


async def until_settled(client: Client, consumer: Consumer = GATING) -> None:
    """Wait until every message was given out and none waits for its acknowledgement."""
    await until_seen(lambda: state_of(client, consumer), lambda info: not info.num_pending and not info.num_ack_pending)


async def count_of(client: Client, stream: str) -> int:
    state = (await client.jetstream().stream_info(stream)).state
    return int(state.messages)


async def count_behind(client: Client, stream: str, subject: str) -> int:
    """Return how many messages a stream holds, after one more has confirmed that all before it were considered."""
    await client.jetstream().publish(subject, b"")
    return await count_of(client, stream) - 1


async def messages_of(client: Client, stream: str, count: int) -> Sequence[tuple[str, bytes, dict[str, str]]]:
    """Return subject, body and headers of everything that a stream holds, once it holds as much as this."""
    held = await until_seen(lambda: count_of(client, stream), lambda messages: messages >= count)
    if held == 0:
        return []
    reading = await client.jetstream().pull_subscribe("", stream=stream)
    messages = await reading.fetch(held)
    await reading.unsubscribe()
    return [(message.subject, message.data, dict(message.headers or {})) for message in messages]
