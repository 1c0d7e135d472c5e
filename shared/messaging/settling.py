"""How a message is given back or settled, when the server may be away."""

from collections.abc import Awaitable

import nats.errors
import structlog
from nats.aio.msg import Msg

log = structlog.get_logger()

_LONGEST_DELAY_SECONDS = 30.0


def deliveries(message: Msg) -> int:
    """Return which delivery of the message this is; the first is 1."""
    return message.metadata.num_delivered


async def give_back(message: Msg, delay_seconds: float | None) -> None:
    """Have the message delivered again after the delay; without one, after a delay that grows with every delivery."""
    delay = (
        delay_seconds
        if delay_seconds is not None
        else min(_LONGEST_DELAY_SECONDS, 0.5 * 2 ** (deliveries(message) - 1))
    )
    await settle(message.nak(delay=delay))


async def settle(verdict: Awaitable[None]) -> None:
    """Tell the server; if it cannot be told, it delivers the message again by itself."""
    try:
        await verdict
    except (nats.errors.Error, OSError) as error:
        log.warning("delivery.unsettled", error=str(error) or type(error).__name__)
