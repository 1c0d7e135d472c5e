"""`python -m services.gateway`."""

import signal

import uvicorn

from services.gateway.app import create_app
from shared.logging import configure_logging
from shared.process import read_settings
from shared.settings import GatewaySettings

_DRAIN_SECONDS = 10


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    settings = read_settings(GatewaySettings)
    configure_logging(settings, "gateway")
    # uvicorn drains on these signals, then raises them again; by then there is nothing left to end.
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: None)
    uvicorn.run(
        create_app(settings),
        host=settings.gateway_host,
        port=settings.gateway_port,
        loop="uvloop",
        http="httptools",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
        server_header=False,
    )


main()
