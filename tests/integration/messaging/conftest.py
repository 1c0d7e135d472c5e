"""A connection to a real NATS server with the declared streams and consumers, and nothing in them."""

from collections.abc import AsyncIterator

import nats
import pytest_asyncio
from nats.aio.client import Client

from shared.messaging.provision import provision_streams
from shared.messaging.publisher import Publisher
from shared.settings import StreamSettings


@pytest_asyncio.fixture
async def client(clean_nats: str) -> AsyncIterator[Client]:
    """Yield a connection to a provisioned server."""
    client = await nats.connect(clean_nats)
    await provision_streams(client, StreamSettings())
    yield client
    await client.close()


@pytest_asyncio.fixture
async def publisher(client: Client) -> Publisher:
    """Return a publisher on that connection."""
    publisher = Publisher()
    publisher.attach(client)
    return publisher
