"""Platforms for the tests of the whole."""

import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from infra.local.parts import Part, towpath
from infra.local.settings import LocalSettings
from tests.support.platform import FEW_SLOTS, Platform, running_platform

# Few slots, so that work piles up; and the gate's answer is waited for until it comes, whatever the machine does.
SHARED = {"RUNNER_SLOTS": str(FEW_SLOTS), "GATE_WAIT_SECONDS": "15"}


def two_schedulers(settings: LocalSettings) -> Sequence[Part]:
    """Return the parts of the product with a second scheduler beside the first."""
    parts = towpath(settings)
    scheduler = next(part for part in parts if part.role == "scheduler")
    place = parts.index(scheduler)
    return [*parts[:place], scheduler, replace(scheduler, name="scheduler-2"), *parts[place + 1 :]]


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def platform(server_folder: Path) -> AsyncIterator[Platform]:
    """Yield the platform that gentle tests share: what they stop runs again when they end. It has two schedulers.

    It ends with the last of them, since even an idle platform takes a fifth of a CPU.
    """
    async with running_platform(server_folder, SHARED, two_schedulers) as started:
        yield started


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def platform_without_timers(server_folder: Path) -> AsyncIterator[Platform]:
    """Yield a platform where nothing fires by itself."""
    async with running_platform(server_folder, {"OPERATING_BACKGROUND_ENABLED": "false"}, runners=1) as started:
        yield started


@pytest.fixture
def organisation() -> str:
    """Return an organisation of this test alone."""
    return f"org-{uuid.uuid4().hex[:12]}"
