"""The life of a service process: settings, logging, signals, presence, and the lines that say so."""

import asyncio
import gc
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
import uvloop
from nats.aio.client import Client
from pydantic import ValidationError

from shared.logging import configure_logging, process_instance
from shared.messaging.presence import announce_presence
from shared.settings import ServiceSettings

log = structlog.get_logger()

Settings = TypeVar("Settings", bound=ServiceSettings)


class Process:
    """The process that a service runs in, as the service sees it."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.instance = process_instance()
        self.is_stopping = asyncio.Event()
        self.is_serving = False

    async def serve(self, client: Client) -> None:
        """Say that the service is ready, and wait until it is asked to stop."""
        await announce_presence(client, self.service, self.instance)
        self.is_serving = True
        log.info("service.started")
        await self.is_stopping.wait()
        log.info("service.draining")


def run_service(
    service: str, settings_class: type[Settings], run: Callable[[Settings, Process], Awaitable[None]]
) -> None:
    """Run a service until SIGTERM or SIGINT; exits with 2 when a setting is wrong."""
    settings = read_settings(settings_class)
    configure_logging(settings, service)
    tune_interpreter()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(service, settings, run))


def tune_interpreter() -> None:
    """Fit Python's own housekeeping to a process that handles many small messages.

    Each message makes hundreds of objects and hardly a cycle, so cycles are looked for every 50,000 new objects instead
    of every 700, and not among what is there already. The driver of MongoDB works in threads: one that has an answer
    gets its turn after half a millisecond instead of five.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    sys.setswitchinterval(0.0005)


def read_settings(settings_class: type[Settings]) -> Settings:
    """Return the settings, or end the process naming each one that is wrong."""
    try:
        return settings_class()
    except ValidationError as error:
        for item in error.errors():
            name = ".".join(str(part) for part in item["loc"]).upper()
            print(f"{name + ': ' if name else ''}{item['msg']}", file=sys.stderr)
        sys.exit(2)


async def _run(service: str, settings: Settings, run: Callable[[Settings, Process], Awaitable[None]]) -> None:
    process = Process(service)
    serving = asyncio.ensure_future(run(settings, process))

    def on_signal() -> None:
        process.is_stopping.set()
        if not process.is_serving:
            # Still waiting for a server: there is nothing to drain.
            serving.cancel()

    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, on_signal)
    try:
        await serving
    except asyncio.CancelledError:
        if not process.is_stopping.is_set():
            raise
    log.info("service.stopped")
