"""What a person sees of the stack while it runs."""

from typing import Protocol

from rich.console import Console

from infra.local.lines import render


class Reporter(Protocol):
    """Is told everything that happens; decides what to show."""

    def line(self, name: str, raw: str) -> None:
        """Take one log line of a part."""

    def step(self, text: str) -> None:
        """Take what the supervisor is doing now."""

    def alarm(self, text: str) -> None:
        """Take something that must not be overlooked."""


class Silent:
    """Shows nothing."""

    def line(self, name: str, raw: str) -> None:
        """Drop it."""

    def step(self, text: str) -> None:
        """Drop it."""

    def alarm(self, text: str) -> None:
        """Drop it."""


class Terminal:
    """Shows steps, alarms and the log lines of note, one line each."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)

    def line(self, name: str, raw: str) -> None:
        """Print the line if it is of note."""
        text = render(name, raw)
        if text is not None:
            self.console.print(text, soft_wrap=True)

    def step(self, text: str) -> None:
        """Print it dimmed."""
        self.console.print(text, style="dim", markup=False, soft_wrap=True)

    def alarm(self, text: str) -> None:
        """Print it in red."""
        self.console.print(text, style="bold red", markup=False, soft_wrap=True)
