"""What a person reads, and what a program reads, of the weeks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from infra.bench.report import shown
from infra.soak.calendar import Calendar
from infra.soak.figures import Day, Kind, Verdict

_SMALL: Final = 0.1


@dataclass(frozen=True, slots=True)
class Weeks:
    """Everything that was seen: the days, what the load did, what it was judged to be, what the doctor says."""

    calendar: Calendar
    days: Sequence[Day]
    counts: Mapping[str, int]
    verdicts: Sequence[Verdict]
    violations: Mapping[str, Sequence[str]]

    @property
    def is_bounded(self) -> bool:
        return all(verdict.is_bounded for verdict in self.verdicts) and not self.violations


def as_json(weeks: Weeks) -> dict[str, Any]:
    """Return what was seen, day by day."""
    return {
        "days": weeks.calendar.days,
        "day_seconds": weeks.calendar.day_seconds,
        "history_days": weeks.calendar.history_days,
        "load": {str(name): count for name, count in weeks.counts.items()},
        "is_bounded": weeks.is_bounded,
        "violations": {name: list(ids) for name, ids in weeks.violations.items()},
        "quantities": [
            {
                "kind": verdict.quantity.kind,
                "name": verdict.quantity.name,
                "days": [round(day.get(verdict.quantity, 0.0), 3) for day in weeks.days],
                "is_bounded": verdict.is_bounded,
            }
            for verdict in weeks.verdicts
        ],
    }


def as_tables(weeks: Weeks) -> RenderableType:
    """Return a table for each kind of quantity, and the verdict."""
    load = ", ".join(f"{count:,} {name}" for name, count in weeks.counts.items())
    tables = [table for kind in Kind if (table := _table(weeks, kind)) is not None]
    return Group(Text(f"Load: {load}.", style="dim"), *tables, *_conclusion(weeks))


def _table(weeks: Weeks, kind: Kind) -> Table | None:
    verdicts = [verdict for verdict in weeks.verdicts if verdict.quantity.kind is kind and _is_worth_showing(verdict)]
    if not verdicts:
        return None
    days = _days_to_show(len(weeks.days))
    table = Table(title=kind.value, title_justify="left", title_style="bold", box=box.SIMPLE)
    table.add_column("", no_wrap=True)
    for day in days:
        table.add_column(f"day {day}", justify="right", no_wrap=True)
    table.add_column("most before / after", justify="right", no_wrap=True)
    for verdict in verdicts:
        values = [_shown(kind, weeks.days[day - 1].get(verdict.quantity, 0.0)) for day in days]
        style = "" if verdict.is_bounded else "bold red"
        most = Text(f"{_shown(kind, verdict.first)} / {_shown(kind, verdict.second)}", style=style)
        table.add_row(verdict.quantity.name, *values, most)
    return table


def _is_worth_showing(verdict: Verdict) -> bool:
    return not verdict.is_bounded or max(verdict.first, verdict.second) >= _SMALL


def _shown(kind: Kind, value: float) -> str:
    return f"{value:,.0f}" if kind in {Kind.DOCUMENTS, Kind.MESSAGES} else shown(value)


def _days_to_show(days: int) -> list[int]:
    return sorted({1, *(round(days * part / 4) for part in range(1, 5))} - {0})


def _conclusion(weeks: Weeks) -> Iterator[Text]:
    for verdict in weeks.verdicts:
        if not verdict.is_bounded:
            yield Text(f"{verdict.quantity.name} grows: {verdict.quantity.kind}", style="bold red")
    for name, ids in weeks.violations.items():
        yield Text(f"{name}: {', '.join(ids)}", style="bold red")
    yield Text("bounded" if weeks.is_bounded else "not bounded", style="bold green" if weeks.is_bounded else "bold red")
