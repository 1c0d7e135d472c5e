"""A wait until the server has taken everything that this process has sent it so far."""

from nats.aio.client import Client


async def taken_by_server(client: Client, timeout_seconds: int = 10) -> None:
    """Wait until the server has taken all commands before this call; raises what `Client.flush` raises.

    One flush is none: the client writes its ping to the socket at once, past the subscriptions and messages that it still
    holds back, and has these written after it. The second ping is written behind them.
    """
    await client.flush(timeout=timeout_seconds)
    await client.flush(timeout=timeout_seconds)
