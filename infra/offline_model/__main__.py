"""`python -m infra.offline_model`: serves until SIGINT or SIGTERM."""

import argparse
import asyncio
import signal
import sys

from infra.offline_model.app import WHAT_IT_IS
from infra.offline_model.exchange import Options
from infra.offline_model.server import serving


def main() -> int:
    """Return 0 after an orderly end, 1 when the port is taken."""
    arguments = _arguments()
    options = Options(
        latency_seconds=arguments.latency_ms / 1_000,
        most_latency_seconds=arguments.latency_ms_most / 1_000,
        journal_limit=arguments.journal_limit,
    )
    try:
        asyncio.run(_serve(arguments.host, arguments.port, options))
    except OSError as error:
        print(
            f"The offline model cannot listen on {arguments.host}:{arguments.port}: {error.strerror}.", file=sys.stderr
        )
        print("Stop what uses the port, or choose another one with --port.", file=sys.stderr)
        return 1
    return 0


async def _serve(host: str, port: int, options: Options) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with serving(host, port, options) as address:
        print(f"Offline model ({WHAT_IT_IS}) on {address}/v1", flush=True)
        await stop.wait()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.offline_model", description=f"A model that is {WHAT_IT_IS}.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port", type=int, default=8090, help="port to listen on, 0 for a free one (default: %(default)s)"
    )
    parser.add_argument("--latency-ms", type=float, default=0.0, help="wait before each answer (default: %(default)s)")
    parser.add_argument(
        "--latency-ms-most", type=float, default=0.0, help="longest wait, each drawn at random (default: none)"
    )
    parser.add_argument(
        "--journal-limit", type=int, default=10_000, help="calls to keep in /journal (default: %(default)s)"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
