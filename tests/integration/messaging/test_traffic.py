"""Whether much is coming in, as the server knows it."""

import asyncio

import nats
from nats.aio.client import Client

from contracts.streams import EVENTS
from infra.local.nats import NatsServer
from shared.messaging.provision import provision_streams
from shared.messaging.traffic import LIGHT, Traffic
from shared.settings import StreamSettings
from tests.integration.messaging.looking import publish_events
from tests.support.processes import eventually


class Seconds:
    """Lets a second pass each time it is asked."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


async def test_traffic_is_light_while_few_events_come(client: Client) -> None:
    traffic = Traffic(client, Seconds())
    at_first = await traffic.is_light()

    await publish_events(client, *[b"{}"] * LIGHT)
    few = await traffic.is_light()
    await publish_events(client, *[b"{}"] * (LIGHT + 1))
    many = await traffic.is_light()

    assert (at_first, few, many) == (False, True, False)
    assert await traffic.is_light()


async def test_a_single_event_is_not_much_however_short_the_time(client: Client) -> None:
    traffic = Traffic(client, lambda: 0.0)
    await traffic.is_light()

    await publish_events(client, b"{}")

    assert await traffic.is_light()


async def test_a_stream_that_began_anew_says_nothing_of_the_time_before(client: Client) -> None:
    traffic = Traffic(client, Seconds())
    await publish_events(client, b"{}", b"{}")
    await traffic.is_light()

    await client.jetstream().delete_stream(EVENTS.name)
    await provision_streams(client, StreamSettings())
    await publish_events(client, b"{}")
    anew = await traffic.is_light()
    next_time = await traffic.is_light()
    await client.jetstream().delete_stream(EVENTS.name)
    missing = await traffic.is_light()

    assert (anew, next_time, missing) == (False, True, False)


async def test_while_the_server_is_away_traffic_is_not_taken_to_be_light(own_nats_server: NatsServer) -> None:
    client = await nats.connect(own_nats_server.url, max_reconnect_attempts=-1)
    await provision_streams(client, StreamSettings())
    traffic = Traffic(client, Seconds())
    await traffic.is_light()
    assert await traffic.is_light()

    await asyncio.to_thread(own_nats_server.kill)
    await eventually(lambda: not client.is_connected)

    assert not await traffic.is_light()
    # nats-py may end its caller's task when it is closed in the middle of a reconnect.
    await asyncio.to_thread(own_nats_server.start)
    await eventually(lambda: client.is_connected)
    await client.close()
