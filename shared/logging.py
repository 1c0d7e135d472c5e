"""structlog, set up once per process: the event is a literal `noun.verb_past`, facts are keys."""

import logging
import os
import socket
import sys

import orjson
import structlog
from structlog.typing import Processor

from shared.least_level import drop_below_least
from shared.settings import LogFormat, ServiceSettings


def process_instance() -> str:
    """Return a name for this process that no other running process has."""
    return f"{socket.gethostname()}-{os.getpid()}"


def configure_logging(settings: ServiceSettings, service: str) -> None:
    """Send every log line, those of libraries included, to standard error."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    shared: list[Processor] = [
        drop_below_least,
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, _renderer(settings.log_format)],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service, instance=process_instance())
    logging.basicConfig(handlers=[_LibraryHandler()], level=logging.WARNING, force=True)


def _renderer(log_format: LogFormat) -> Processor:
    if log_format is LogFormat.JSON:
        return structlog.processors.JSONRenderer(
            serializer=lambda event, **_: orjson.dumps(event, default=str).decode()
        )
    return structlog.dev.ConsoleRenderer()


class _LibraryHandler(logging.Handler):
    """Passes what libraries log on to structlog under one event name."""

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger().log(
            record.levelno, "library.logged", logger=record.name, message=record.getMessage(), exc_info=record.exc_info
        )
