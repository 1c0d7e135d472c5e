"""What a person reads, and what a program reads, of the results."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from infra.bench.figures import Headline, Section
from infra.bench.peers import AIM, PEERS, Peer

_COLUMNS = {
    Headline.RUNS_PER_SECOND: "no-op runs/s,\n32 in flight",
    Headline.START_MS: "start p50\nms at 20/s",
    Headline.DONE_MS: "done p50\nms at 20/s",
    Headline.TIMES_IDEAL: "2,000 x 0.5 s\nx ideal",
    Headline.RESTART_SECONDS: "killed:\nrestart s",
    Headline.ACTIVE_MS: "active\nruns ms",
}


@dataclass(frozen=True, slots=True)
class Results:
    """Everything one run of the benchmark measured, by the name of the scenario."""

    machine: Mapping[str, str]
    sections: Mapping[str, Section]
    failures: Mapping[str, str]


def as_json(results: Results, now: datetime) -> dict[str, Any]:
    """Return the results with the machine and the time at which they were made."""
    return {
        "measured_at": now.astimezone(UTC).isoformat(timespec="seconds"),
        "machine": dict(results.machine),
        "sections": {name: asdict(section) for name, section in results.sections.items()},
        "failures": dict(results.failures),
    }


def as_tables(results: Results) -> RenderableType:
    """Return the results for a terminal, with those of other systems beside them."""
    machine = Text(", ".join(f"{name} {value}" for name, value in results.machine.items()), style="dim")
    tables: list[RenderableType] = [machine, *(_section(section) for section in results.sections.values())]
    headlines = headlines_of(results.sections.values())
    if headlines:
        tables.append(_comparison(headlines))
    tables.extend(Text(f"{name} failed: {why}", style="bold red") for name, why in results.failures.items())
    return Group(*tables)


def headlines_of(sections: Iterable[Section]) -> dict[Headline, float]:
    """Return what can be compared."""
    return {headline: value for section in sections for headline, value in section.headlines.items()}


def shown(value: float) -> str:
    """Return a number with three digits that matter."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _section(section: Section) -> RenderableType:
    table = Table(title=section.title, title_justify="left", title_style="bold", show_header=False, expand=False)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", style="bold", no_wrap=True)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(style="dim")
    for figure in section.figures:
        table.add_row(figure.name, shown(figure.value), figure.unit, figure.note)
    if section.remark:
        table.caption, table.caption_justify = f"{section.remark}.", "left"
    return Group(Text(), table)


def _comparison(headlines: Mapping[Headline, float]) -> RenderableType:
    table = Table(title="Beside other systems", title_justify="left", title_style="bold", caption_justify="left")
    for name in ("", "durable accept", "run record"):
        table.add_column(name)
    for name in _COLUMNS.values():
        table.add_column(name, justify="right", no_wrap=True)
    here = Peer("Towpath, here and now", "yes", "yes, gated, explained", dict(headlines))
    for peer in PEERS:
        table.add_row(*_cells(peer))
    table.add_section()
    table.add_row(*_cells(AIM))
    table.add_row(*_cells(here), style="bold")
    table.caption = (
        "The others were measured on another run of such a machine (2 cores) in 2026-11, on less work for each run:"
        " no event, no gate, mostly no record. Compare ratios, not digits."
    )
    return Group(Text(), table)


def _cells(peer: Peer) -> list[str]:
    figures = [peer.figures.get(headline) for headline in _COLUMNS]
    return [
        peer.name,
        peer.durable_accept,
        peer.run_record,
        *("-" if value is None else shown(value) for value in figures),
    ]
