"""`python -m infra.demo [FILE.jsonl]`: plays the sample day, or somebody's own events."""

import argparse
import asyncio
import sys
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from pydantic import SecretStr, ValidationError
from rich.console import Console

from infra.demo.day import sample_day
from infra.demo.header import header
from infra.demo.recording import RecordingRefused, read_recording
from infra.demo.run import Demo, status
from infra.demo.script import Schedule, Script
from infra.demo.stage import has_own_agents, stage
from infra.demo.view import WIDTH
from infra.local.errors import LocalError
from infra.local.settings import LocalSettings
from infra.local.stack import Stack
from infra.local.up import Interruption
from shared.settings import GatewaySettings

BAD_INPUT = 2
INTERRUPTED = 130


def main() -> int:
    """Return 0 when all went well, 1 when something is missing, 2 when the input is no good, 130 after Ctrl-C."""
    given = _parser().parse_args()
    try:
        settings = LocalSettings()
        script = sample_day(uuid4().hex[:8]) if given.file is None else _recorded(given.file)
    except (RecordingRefused, ValidationError) as error:
        sys.stderr.write(f"{error}\n")
        return BAD_INPUT
    return asyncio.run(run(settings, script, _console()))


async def run(settings: LocalSettings, script: Script, console: Console) -> int:
    """Play the script on a stack of its own and return the exit code."""
    awaits_fires = bool(script.due) and has_own_agents(settings)
    if not awaits_fires:
        # Schedules would go on firing for whoever else uses the database.
        steps = tuple(step for step in script.steps if not isinstance(step, Schedule))
        script = replace(script, steps=steps, due=frozenset())
    console.print(header(script, settings))
    try:
        with stage(settings, awaits_fires=awaits_fires) as stack:
            return await _unless_interrupted(Demo(script, stack, console, awaits_fires), stack, console)
    except LocalError as error:
        console.print(f"The demo could not start. {error}", style="bold red", markup=False, soft_wrap=True)
        return 1


async def _unless_interrupted(demo: Demo, stack: Stack, console: Console) -> int:
    """Run the demo; the first Ctrl-C or SIGTERM stops everything in order, every later one at once."""
    interruption = Interruption(stack, console)
    playing = asyncio.create_task(demo.run())
    interrupted = asyncio.create_task(interruption.requested.wait())
    try:
        await asyncio.wait({playing, interrupted}, return_when=asyncio.FIRST_COMPLETED)
        interrupted.cancel()
        if not playing.done():
            playing.cancel()
            await asyncio.wait({playing})
        return INTERRUPTED if playing.cancelled() else playing.result()
    finally:
        # Here, where a signal cannot cut it short.
        with status(console, "stopping"):
            await stack.close()


def _recorded(path: Path) -> Script:
    # The secret is only there because the gateway's settings ask for one.
    return read_recording(path, GatewaySettings(auth_jwt_secret=SecretStr("-")).max_event_bytes)


def _console() -> Console:
    console = Console(highlight=False)
    console.width = min(WIDTH, console.width) if console.is_terminal else WIDTH
    return console


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./taskw demo", description="Play a day of events and show what comes of it.")
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE.jsonl", help="own events, one CloudEvent a line")
    return parser


if __name__ == "__main__":
    sys.exit(main())
