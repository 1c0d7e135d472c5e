"""Puts streams and consumers back that the server has lost."""

import nats.errors
import structlog
from nats.aio.client import Client

from shared.messaging.provision import missing_parts, provision_streams
from shared.settings import StreamSettings

log = structlog.get_logger()


class Streams:
    """Looks whether everything that is declared is there."""

    def __init__(self, client: Client, settings: StreamSettings) -> None:
        self._client = client
        self._settings = settings

    async def restore(self) -> bool:
        """Create what is missing; return whether something was."""
        if not self._client.is_connected:
            return False
        try:
            missing = await missing_parts(self._client)
            if missing:
                await provision_streams(self._client, self._settings)
        except (TimeoutError, nats.errors.Error) as error:
            log.warning("streams.unknown", error=str(error) or type(error).__name__)
            return False
        if missing:
            log.warning("streams.restored", missing=missing)
        return bool(missing)
