"""How the gate's answer reaches the gateway process that waits for it, on a real NATS server."""

import asyncio

import nats
import orjson
from nats.aio.client import Client

from contracts.subjects import gated_subject
from services.gateway.app import create_app
from services.gateway.gate_answers import Decisions
from services.gateway.state import Gateway
from shared.logging import process_instance
from shared.settings import GatewaySettings
from tests.support.servers import RunningServer

DECISIONS: Decisions = [{"agent_key": "today_checkin_processor", "outcome": "run"}]


async def test_an_answer_of_the_gate_ends_the_wait(nats_server: RunningServer, mongo_server: RunningServer) -> None:
    settings = GatewaySettings(nats_url=nats_server.url, mongodb_url=mongo_server.url, auth_jwt_secret="s" * 32)
    app = create_app(settings)
    gate = await nats.connect(nats_server.url)

    async with app.router.lifespan_context(app):
        gateway: Gateway = app.state.gateway
        answers = gateway.publishing._answers
        expected = answers.expect(["ev_1"])
        saying = asyncio.create_task(_say_until_heard(gate, orjson.dumps({"ev_1": DECISIONS})))
        decided = await answers.collect(expected, 10)
        saying.cancel()

    await gate.close()
    assert decided == {"ev_1": DECISIONS}


async def _say_until_heard(gate: Client, answer: bytes) -> None:
    """Repeat, because the gateway subscribes in the background after it has started."""
    while True:
        await gate.publish(gated_subject(process_instance()), answer)
        await asyncio.sleep(0.05)
