"""What the streams still hold for their consumers."""

import nats.errors
import nats.js.errors
from nats.aio.client import Client

from contracts.streams import GATING

_TIMEOUT_SECONDS = 2.0


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
