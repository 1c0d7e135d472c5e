"""`python -m services.gateway`."""

import signal
from types import FrameType

import uvicorn
from fastapi import FastAPI

from services.gateway.app import create_app
from shared.logging import configure_logging
from shared.process import read_settings, tune_interpreter
from shared.settings import GatewaySettings

_DRAIN_SECONDS = 10


class _Server(uvicorn.Server):
    """Ends the readers of live events when it is to stop: it waits for all answers, and theirs have no end."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        if isinstance(self.config.app, FastAPI):
            self.config.app.state.gateway.live.close()


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    settings = read_settings(GatewaySettings)
    configure_logging(settings, "gateway")
    tune_interpreter()
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        host=settings.gateway_host,
        port=settings.gateway_port,
        loop="uvloop",
        http="httptools",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
        server_header=False,
    )
    server = _Server(config)

    def on_signal(*_: object) -> None:
        server.should_exit = True

    # uvicorn has handlers of its own while it serves; before that these count, and after it raises the signal again.
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, on_signal)
    server.run()


main()
