"""How a message is given back or settled, when the server may be away."""

from collections.abc import Awaitable

import nats.errors
import structlog
from nats.aio.msg import Msg

log = structlog.get_logger()

_LONGEST_DELAY_SECONDS = 30.0
# $JS.ACK.<stream>.<consumer>.<delivered>..., of nine tokens; with a domain and the account's hash before the stream more.
_ACKNOWLEDGES = ["$JS", "ACK"]
_LEAST_TOKENS = 9
_DELIVERED = 4
_TOKENS_OF_A_DOMAIN = 2


def deliveries(message: Msg) -> int:
    """Return which delivery of the message this is; the first is 1.

    It stands in the subject of the acknowledgement. The client's own `metadata` reads all of that, times included, which
    would be a tenth of what an event costs gating.
    """
    tokens = message.reply.split(".")
    if tokens[:2] != _ACKNOWLEDGES or len(tokens) < _LEAST_TOKENS:
        return message.metadata.num_delivered
    return int(tokens[_DELIVERED if len(tokens) == _LEAST_TOKENS else _DELIVERED + _TOKENS_OF_A_DOMAIN])


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
