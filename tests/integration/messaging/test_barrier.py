"""After the wait, others find what this process has subscribed to."""

import nats
from nats.aio.msg import Msg

from shared.messaging.barrier import taken_by_server
from tests.support.servers import RunningServer

_ROUNDS = 500


async def test_a_subscription_before_the_wait_is_there_for_others_after_it(nats_server: RunningServer) -> None:
    one, other = await nats.connect(nats_server.url), await nats.connect(nats_server.url)

    async def answer(message: Msg) -> None:
        await message.respond(b"here")

    for number in range(_ROUNDS):
        subscription = await one.subscribe(f"barrier.{number}", cb=answer)
        await taken_by_server(one)
        # Raises NoRespondersError when the server has not heard of the subscription.
        assert (await other.request(f"barrier.{number}", timeout=20)).data == b"here"
        await subscription.unsubscribe()

    await one.close()
    await other.close()
