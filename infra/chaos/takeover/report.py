"""What a person reads, and what a program reads, of what was seen of take-overs."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from itertools import chain
from typing import Any, Final

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from infra.bench.figures import percentile
from infra.chaos.takeover.modes import OPEN_RUNS, Killed, Undisturbed

LIMIT_SECONDS: Final = 1.5
"""What 99 of 100 runs of a killed runner must not exceed."""

Seen = Mapping[str, Killed | Undisturbed]
Row = tuple[str, str, str]


def as_tables(seen: Seen) -> RenderableType:
    """Return what was measured, and what is not as it should be."""
    table = Table(title="Take-over", title_justify="left", title_style="bold", show_header=False, box=box.SIMPLE)
    table.add_column()
    table.add_column(justify="right", style="bold", no_wrap=True)
    table.add_column(style="dim")
    for name, what in seen.items():
        for row in _killed(what) if isinstance(what, Killed) else _undisturbed(name, what):
            table.add_row(*row)
    return Group(Text(), table, *(Text(f"WRONG: {each}", style="bold red") for each in violations(seen)))


def violations(seen: Seen) -> list[str]:
    """Name everything that is not as promised."""
    return list(chain.from_iterable(_violations(name, what) for name, what in seen.items()))


def as_json(seen: Seen) -> dict[str, Any]:
    """Return everything that was measured."""
    return {"seen": {name: asdict(what) for name, what in seen.items()}, "violations": violations(seen)}


def _killed(what: Killed) -> Iterator[Row]:
    runs = list(chain.from_iterable(what.kills))
    if not runs:
        return
    last = [max(kill) for kill in what.kills if kill]
    yield "kill -9 of a runner to a run elsewhere, p50", f"{percentile(runs, 50):.2f} s", f"{len(what.kills)} kills"
    yield "  p99", f"{percentile(runs, 99):.2f} s", f"{len(runs)} runs"
    yield "  longest", f"{max(runs):.2f} s", ""
    yield f"  to the last of {OPEN_RUNS}, p50", f"{percentile(last, 50):.2f} s", ""
    yield "    longest", f"{max(last):.2f} s", ""


def _undisturbed(name: str, what: Undisturbed) -> Iterator[Row]:
    yield f"false take-overs: {name}", str(what.taken_over), f"of {what.runs:,} runs"


def _violations(name: str, what: Killed | Undisturbed) -> Iterator[str]:
    if isinstance(what, Undisturbed):
        if what.taken_over:
            yield f"{name}: {what.taken_over} runs were taken from a runner that lives"
        return
    incomplete = sum(1 for kill in what.kills if len(kill) < OPEN_RUNS)
    if incomplete:
        yield f"{name}: in {incomplete} of {len(what.kills)} kills fewer than {OPEN_RUNS} runs were taken over"
    runs = list(chain.from_iterable(what.kills))
    if runs and percentile(runs, 99) >= LIMIT_SECONDS:
        yield f"{name}: p99 is {percentile(runs, 99):.2f} s, and should be under {LIMIT_SECONDS} s"
