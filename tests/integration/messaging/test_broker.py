"""The connection of a service, on a NATS server that goes away."""

import asyncio

import uvloop

from infra.local.nats import NatsServer
from shared.messaging.broker import make_broker
from shared.settings import ServiceSettings
from tests.support.processes import eventually


def test_a_broker_stops_while_its_server_is_away(own_nats_server: NatsServer) -> None:
    async def stop_without_server() -> bool:
        broker = make_broker(ServiceSettings(nats_url=own_nats_server.url))
        client = await broker.connect()
        own_nats_server.kill()
        await eventually(lambda: not client.is_connected)
        await client.publish("kept.for_later", b"")

        await broker.stop()

        return client.is_closed

    # As the services run: uvloop treats a lost connection more strictly than asyncio does.
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(stop_without_server())
