"""How a demo looks: rows of events with what came of them, and the counts. Pure."""

from collections import Counter
from collections.abc import Container

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from infra.demo.observation import Decision
from infra.demo.progress import Followed, Note, Progress

WIDTH = 100
STATUS_STYLES = {
    "queued": "yellow",
    "running": "cyan",
    "completed": "green",
    "failed": "bold red",
    "cancelled": "magenta",
}
USUAL = ("queued", "running", "completed", "failed")
COLUMNS = {"UTC": 5, "project": 13, "user": 12, "event": 21}
OF_NOW = "now"
"""Instead of a time: a schedule fires by today's clock, not by the day that is played."""


def facts(entry: Followed | Note) -> tuple[str, str, str, str]:
    """Return the time, the project, the user and what happened, as shown."""
    if isinstance(entry, Note):
        time, project, user, what = entry.time, entry.project, entry.user, entry.what
    else:
        event = entry.event
        time, project, user, what = event.time, event.projectid, event.userid, event.type
    is_fire = isinstance(entry, Followed) and entry.is_fire
    clock = OF_NOW if is_fire else "" if time is None else f"{time:%H:%M}"
    return clock, project or "", user or "", what


def outcome(entry: Followed | Note, progress: Progress) -> Text:
    """Return what came of an entry: its decisions, and the statuses of the runs as they are now."""
    if isinstance(entry, Note):
        return Text(entry.outcome, "dim")
    if entry.refusals:
        return Text(f"refused: {entry.refusals[0]}", "bold red")
    if entry.decisions is None:
        return Text("waiting for the gate", "yellow")
    if not entry.decisions:
        return Text("no Agent listens", "dim")
    return Text("\n").join(_decided(decision, progress) for decision in entry.decisions)


def line(entry: Followed | Note, progress: Progress) -> Text:
    """Return an entry as one line of plain text."""
    cells = (f"{cell:<{width}}" for cell, width in zip(facts(entry), COLUMNS.values(), strict=True))
    return Text("  ").join([*(Text(cell) for cell in cells), Text(", ").join(outcome(entry, progress).split("\n"))])


def plain_table(title: str | None = None) -> Table:
    """Return an empty table in the style of the demo, as wide as the terminal."""
    return Table(
        title=None if title is None else Text(title, "bold"),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        expand=True,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        show_edge=False,
        header_style="dim",
    )


def frame(progress: Progress, total: int, rows: int) -> RenderableType:
    """Return the live view: the latest entries and the counts."""
    table = plain_table()
    for name, width in COLUMNS.items():
        table.add_column(name, width=width, no_wrap=True)
    table.add_column("what came of it", no_wrap=True, ratio=1)
    for entry in progress.entries[-rows:]:
        table.add_row(*map(Text, facts(entry)), outcome(entry, progress))
    return Group(table, Text(), counts(progress, total))


def counts(progress: Progress, total: int) -> Text:
    """Return one line of how far it is."""
    sent = len(progress.events) - len(progress.fires)
    skipped = progress.outcomes()["skipped"]
    events = f"{sent} of {total} events, {progress.sent_again} again, {len(progress.fires)} fires, {skipped} skipped"
    return Text.assemble(events, ("   runs: ", "dim"), Text(", ").join(status_counts(progress.statuses(), USUAL)))


def status_counts(statuses: Counter[str], always: Container[str]) -> list[Text]:
    """Return a count of each status that occurs, and dimmed zeros for those that are always shown."""
    return [
        Text(f"{statuses[name]} {name}", style if statuses[name] else "dim")
        for name, style in STATUS_STYLES.items()
        if statuses[name] or name in always
    ]


def _decided(decision: Decision, progress: Progress) -> Text:
    if decision.run_id is None:
        by = f" by {decision.scope}" if decision.scope else ""
        return Text.assemble(f"{decision.agent_key} ", (f"{decision.outcome}{by}", "magenta"))
    run = progress.runs.get(decision.run_id)
    status = "queued" if run is None else run.status
    return Text.assemble(f"{decision.agent_key} ", (status, STATUS_STYLES.get(status, "")))
