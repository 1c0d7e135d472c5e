"""Shows a demo while it runs: a live table on a terminal, plain lines elsewhere."""

from collections.abc import Iterable
from itertools import takewhile
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.live import Live

from infra.demo.progress import Followed, Note, Progress
from infra.demo.view import frame, line

MOST_ROWS = 22
FEWEST_ROWS = 5
# The header, what stands above the table, its own header and the counts.
OTHER_LINES = 8


class Display(Protocol):
    """Shows the progress between entering and leaving."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    def show(self) -> None:
        """Show the progress as it is now."""


class LiveTable:
    """The latest entries in a table that changes in place."""

    def __init__(self, console: Console, progress: Progress, total: int) -> None:
        self._progress = progress
        self._total = total
        self._rows = max(FEWEST_ROWS, min(MOST_ROWS, console.height - OTHER_LINES))
        # Refreshed by hand: a thread of its own would read the progress while it changes.
        self._live = Live(console=console, auto_refresh=False, vertical_overflow="crop")

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.show()
        self._live.stop()

    def show(self) -> None:
        """Draw the table anew."""
        self._live.update(frame(self._progress, self._total, self._rows), refresh=True)


class Lines:
    """One line for each entry, in their order, printed as soon as nothing more will become of it."""

    def __init__(self, console: Console, progress: Progress) -> None:
        self._console = console
        self._progress = progress
        self._printed = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._print(self._progress.entries[self._printed :])

    def show(self) -> None:
        """Print what is settled and was not printed yet."""
        self._print(takewhile(self._is_settled, self._progress.entries[self._printed :]))

    def _is_settled(self, entry: Followed | Note) -> bool:
        return isinstance(entry, Note) or self._progress.is_settled(entry)

    def _print(self, entries: Iterable[Followed | Note]) -> None:
        for entry in entries:
            self._console.print(line(entry, self._progress), soft_wrap=True)
            self._printed += 1
