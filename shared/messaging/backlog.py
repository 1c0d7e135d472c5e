"""What the streams still hold for their consumers."""

from dataclasses import dataclass

import nats.errors
import nats.js.errors
from nats.aio.client import Client

from contracts.streams import CONSUMERS, GATING, Consumer
from shared.errors import MessagingUnavailable

_TIMEOUT_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class ConsumerBacklog:
    """Messages that a consumer was not given yet, and those it has not acknowledged."""

    pending: int
    unacknowledged: int


class Backlog:
    """Asks the server, on one connection."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._jetstream = client.jetstream(timeout=_TIMEOUT_SECONDS)

    async def is_gating_behind(self) -> bool:
        """Return whether there are events that gating has not been given, or has not acknowledged.

        While the server cannot say, it is taken to be so: nothing could be published then anyway.
        """
        if not self._client.is_connected:
            return True
        try:
            consumer = await self._jetstream.consumer_info(GATING.stream, GATING.name)
        except nats.js.errors.NotFoundError:
            return False
        except (TimeoutError, nats.errors.Error):
            return True
        return bool(consumer.num_pending or consumer.num_ack_pending)

    async def counts(self) -> dict[str, ConsumerBacklog]:
        """Return what the streams hold for each consumer; a consumer that is missing holds nothing.

        Raises MessagingUnavailable while the server cannot say.
        """
        if not self._client.is_connected:
            raise MessagingUnavailable("NATS is not connected.")
        try:
            return {consumer.name: await self._count(consumer) for consumer in CONSUMERS}
        except (TimeoutError, nats.errors.Error) as error:
            raise MessagingUnavailable(f"NATS does not answer: {str(error) or type(error).__name__}") from error

    async def _count(self, consumer: Consumer) -> ConsumerBacklog:
        try:
            state = await self._jetstream.consumer_info(consumer.stream, consumer.name)
        except nats.js.errors.NotFoundError:
            return ConsumerBacklog(0, 0)
        return ConsumerBacklog(state.num_pending or 0, state.num_ack_pending or 0)
