"""What a person reads, and what a program reads, of the results."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from infra.bench.figures import Headline, Section
from infra.bench.peers import AIM, PEERS, Peer

_COLUMNS = {
    Headline.RUNS_PER_SECOND: "no-op\nruns/s",
    Headline.START_MS: "start\nms",
    Headline.DONE_MS: "done\nms",
    Headline.TIMES_IDEAL: "slow\nx",
    Headline.RESTART_SECONDS: "killed\ns",
    Headline.ACTIVE_MS: "list\nms",
}
_ABOUT_OTHERS = (
    "No-op runs with 32 in flight on 64 slots; median from sending to start and to done at 20 a second; 2,000 runs of"
    " 0.5 s on 256 slots, against the shortest time possible; a worker killed until the first of its runs runs again; listing a user's active runs beside"
    " 100,000 others. The other systems were measured on another run of such a machine (2 cores) in 2026-11 and did"
    " less for each run: no event, no gate, mostly no record. Compare ratios, not digits."
)
_MUCH_DISTURBED = 0.3


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
        "sections": {name: _section_json(section) for name, section in results.sections.items()},
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
    """Return a number with the digits that matter."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _section_json(section: Section) -> dict[str, Any]:
    headlines = {headline.value: value for headline, value in section.headlines.items()}
    return asdict(section) | {"headlines": headlines}


def _section(section: Section) -> RenderableType:
    table = Table(title=section.title, title_justify="left", title_style="bold", show_header=False, box=box.SIMPLE)
    table.add_column(max_width=44)
    table.add_column(justify="right", style="bold", no_wrap=True)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(style="dim", ratio=1)
    for figure in section.figures:
        table.add_row(figure.name, shown(figure.value), figure.unit, figure.note)
    return Group(Text(), table, *_notes(section))


def _notes(section: Section) -> list[RenderableType]:
    notes: list[RenderableType] = [Text(f"{section.remark}.", style="dim")] if section.remark else []
    if section.other_cores > _MUCH_DISTURBED:
        disturbed = f"Other programs used {section.other_cores:.1f} cores meanwhile; an idle machine does better."
        notes.append(Text(disturbed, style="yellow"))
    return notes


def _comparison(headlines: Mapping[Headline, float]) -> RenderableType:
    table = Table(
        title="Beside other systems", title_justify="left", title_style="bold", box=box.SIMPLE, padding=(0, 1, 0, 0)
    )
    table.add_column(no_wrap=True)
    table.add_column("durable\naccept", no_wrap=True)
    table.add_column("run\nrecord", min_width=9)
    for name in _COLUMNS.values():
        table.add_column(name, justify="right", no_wrap=True)
    here = Peer("Towpath, here", "yes", "gated, explained", dict(headlines))
    for peer in PEERS:
        table.add_row(*_cells(peer))
    table.add_section()
    table.add_row(*_cells(AIM))
    table.add_row(*_cells(here), style="bold")
    return Group(Text(), table, Text(_ABOUT_OTHERS, style="dim"))


def _cells(peer: Peer) -> list[str]:
    figures = [peer.figures.get(headline) for headline in _COLUMNS]
    numbers = ["-" if value is None else shown(value) for value in figures]
    return [peer.name, peer.durable_accept, peer.run_record, *numbers]
