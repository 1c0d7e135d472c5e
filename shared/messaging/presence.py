"""Presence: every process answers on its own subject, so that a connection that is gone is noticed at once.

`python -m shared.messaging.presence --service gating` asks whether any instance of a service answers.
"""

import argparse
import asyncio
import os
import sys
from contextlib import suppress

import nats
import nats.errors
import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg

from contracts.subjects import presence_subject
from shared.logging import process_instance
from shared.messaging.barrier import taken_by_server

_TIMEOUT_SECONDS = 2.0
_GONE_WITHIN_SECONDS = 0.5
"""The server answers at once for a connection that is gone; only one that is slow keeps silent."""


async def announce_presence(client: Client, service: str, instance: str) -> None:
    """Answer for this process from now on, until the connection ends."""
    answer = orjson.dumps({"service": service, "instance": instance})

    async def on_asked(message: Msg) -> None:
        await message.respond(answer)

    await client.subscribe(presence_subject(service), cb=on_asked)
    await client.subscribe(presence_subject(service, instance), cb=on_asked)
    # Only then has the server taken both. Should it go away here, the client subscribes again by itself.
    with suppress(TimeoutError, nats.errors.Error):
        await taken_by_server(client, int(_TIMEOUT_SECONDS))


async def is_present(client: Client, service: str, instance: str | None = None) -> bool:
    """Return whether the service, or this instance of it, answers."""
    try:
        await client.request(presence_subject(service, instance), timeout=_TIMEOUT_SECONDS)
    except (TimeoutError, nats.errors.TimeoutError, nats.errors.NoRespondersError):
        return False
    return True


async def is_gone(client: Client, service: str, instance: str) -> bool:
    """Return whether the server knows for sure that this instance is not connected; false when nobody can say."""
    try:
        await client.request(presence_subject(service, instance), timeout=_GONE_WITHIN_SECONDS)
    except nats.errors.NoRespondersError:
        return True
    except (TimeoutError, nats.errors.Error):
        return False
    return False


async def _ask(servers: str, service: str, instance: str | None) -> bool:
    try:
        client = await nats.connect(servers.split(","), connect_timeout=2, max_reconnect_attempts=1)
    except (TimeoutError, OSError, nats.errors.Error) as error:
        print(f"presence: NATS does not answer at {servers}: {error}", file=sys.stderr)
        return False
    try:
        return await is_present(client, service, instance)
    finally:
        await client.close()


def main() -> None:
    """Exit with 0 when the service answers, for container health checks."""
    parser = argparse.ArgumentParser(description="Ask over NATS whether a service answers.")
    parser.add_argument("--service", required=True, help="gating, scheduler or runner")
    parser.add_argument("--instance", help="only this process, by its name in the logs; default: any")
    parser.add_argument("--this-host", action="store_true", help="only process 1 of this container")
    arguments = parser.parse_args()
    instance = process_instance().rpartition("-")[0] + "-1" if arguments.this_host else arguments.instance
    servers = os.environ.get("NATS_URL", "nats://127.0.0.1:4222")
    sys.exit(0 if asyncio.run(_ask(servers, arguments.service, instance)) else 1)


if __name__ == "__main__":
    main()
