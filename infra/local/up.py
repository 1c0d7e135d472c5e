"""Runs all of Towpath on this machine until it is told to stop: `python -m infra.local.up`."""

import asyncio
import signal
import sys

from pydantic import ValidationError
from rich.console import Console

from infra.local.banner import show_banner
from infra.local.connection import announced
from infra.local.errors import LocalError
from infra.local.parts import Layout, towpath
from infra.local.settings import LocalSettings
from infra.local.stack import Stack


class Interruption:
    """The first Ctrl-C or SIGTERM asks for an orderly stop, every later one for a quick one."""

    def __init__(self, stack: Stack, console: Console) -> None:
        self.requested = asyncio.Event()
        self._stack = stack
        self._console = console
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self._on_signal)

    def _on_signal(self) -> None:
        if self.requested.is_set():
            self._console.print("killing what is left", style="bold red")
            self._stack.hurry()
            return
        self.requested.set()
        self._console.print("\nstopping; once more to kill", style="bold")


async def run(settings: LocalSettings, layout: Layout = towpath) -> int:
    """Start, watch and stop everything; return the exit code.

    0 after an orderly stop, 1 when the start failed or a process ended by itself.
    """
    console = Console(highlight=False)
    stack = Stack(settings, layout=layout)
    interruption = Interruption(stack, console)
    try:
        if await _open_unless(interruption, stack):
            with announced(stack):
                show_banner(stack, console)
                await interruption.requested.wait()
    except LocalError as error:
        console.print(f"Towpath could not start. {error}", style="bold red", markup=False, soft_wrap=True)
        return 1
    finally:
        await stack.close()
    console.print("stopped", style="bold")
    return 1 if stack.deaths else 0


async def _open_unless(interruption: Interruption, stack: Stack) -> bool:
    """Open the stack; return False when the start was interrupted (everything is stopped again then)."""
    opening = asyncio.create_task(stack.open())
    interrupted = asyncio.create_task(interruption.requested.wait())
    await asyncio.wait({opening, interrupted}, return_when=asyncio.FIRST_COMPLETED)
    interrupted.cancel()
    if not opening.done():
        opening.cancel()
        await asyncio.wait({opening})
    if opening.cancelled():
        return False
    opening.result()
    return not interruption.requested.is_set()


def main() -> int:
    """Run until stopped."""
    try:
        settings = LocalSettings()
    except ValidationError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return asyncio.run(run(settings))


if __name__ == "__main__":
    sys.exit(main())
