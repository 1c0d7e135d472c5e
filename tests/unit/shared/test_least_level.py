"""Which lines are left out inside, and that nothing is outside."""

import asyncio

import pytest
import structlog
from structlog.testing import capture_logs

from contracts.operation import LoggingLevel
from shared.least_level import drop_below_least, logged_from
from shared.logging import configure_logging
from shared.settings import ServiceSettings

log = structlog.get_logger()


def say_everything() -> None:
    log.debug("a.said")
    log.info("b.said")
    log.warning("c.said")
    log.error("d.said")


@pytest.mark.parametrize(("level", "said"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_lines_below_the_level_are_left_out(level: str, said: int) -> None:
    with capture_logs(processors=[drop_below_least]) as lines, logged_from(LoggingLevel(level)):
        say_everything()

    assert len(lines) == said


async def test_it_holds_for_the_task_and_those_that_it_starts_and_for_no_other() -> None:
    async def inside() -> None:
        with logged_from(LoggingLevel.ERROR):
            await asyncio.create_task(asyncio.to_thread(say_everything))

    with capture_logs(processors=[drop_below_least]) as lines:
        await asyncio.gather(inside(), asyncio.to_thread(say_everything))
        say_everything()

    assert len(lines) == 1 + 4 + 4


def test_every_service_obeys_it() -> None:
    before = structlog.get_config()
    try:
        configure_logging(ServiceSettings(), "test")
        assert drop_below_least in structlog.get_config()["processors"]
    finally:
        structlog.configure(**before)
        structlog.contextvars.clear_contextvars()
