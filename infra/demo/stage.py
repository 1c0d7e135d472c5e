"""Where a demo runs: a stack of its own, in a fresh folder, on free ports."""

import asyncio
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from infra.local.lock import sole_use
from infra.local.parts import Part, Stage, towpath
from infra.local.settings import LocalSettings
from infra.local.stack import Stack

FOLDER = "demo"
PULSE_SECONDS = 3
# So that a person sees runs queued and running; a real model takes longer.
OFFLINE_LATENCY_MS = 250


@contextmanager
def stage(settings: LocalSettings, *, awaits_fires: bool) -> Iterator[Stack]:
    """Yield a stack that is not started yet; raise `DataFolderInUse` while another demo plays."""
    folder = settings.data_folder / FOLDER
    with sole_use(folder):
        shutil.rmtree(folder / "stack", ignore_errors=True)
        yield Stack(
            settings.on_free_ports(folder / "stack"),
            quiet=True,
            layout=_unhurried,
            environment=environment() if awaits_fires and has_own_agents(settings) else {},
        )


def has_own_agents(settings: LocalSettings) -> bool:
    """Return whether the built-in Agents are the demo's own: a given MongoDB may belong to others."""
    return settings.mongodb_url is None


def environment() -> dict[str, str]:
    """Return what makes the operating pulse fire during a demo."""
    return {
        "OPERATING_BACKGROUND_ENABLED": "true",
        "OPERATING_BACKGROUND_INTERVAL_SECONDS": str(PULSE_SECONDS),
    }


def _unhurried(settings: LocalSettings) -> Sequence[Part]:
    latency = ("--latency-ms", str(OFFLINE_LATENCY_MS))
    return [
        replace(part, command=(*part.command, *latency)) if part.role == "offline-model" else part
        for part in towpath(settings)
    ]


async def stop_services(stack: Stack) -> None:
    """Stop all services at once: they wait for nothing of each other when there is nothing left to do."""
    services = [part.name for part in towpath(stack.settings) if part.stage is Stage.SERVICE]
    await asyncio.gather(*map(stack.terminate, services))
