"""The end of a demo in figures."""

from collections import Counter
from dataclasses import dataclass

from rich.table import Table
from rich.text import Text

from infra.demo.progress import Progress
from infra.demo.view import status_counts


@dataclass(frozen=True, slots=True)
class Elapsed:
    """Seconds until everything had started, and from there to the end."""

    starting: float
    playing: float


def summary(progress: Progress, proposals: Counter[str], elapsed: Elapsed) -> Table:
    """Return the counts, one line each."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="cyan", width=14)
    table.add_column(justify="right", width=7, style="bold")
    table.add_column()
    for name, figure, detail in _rows(progress, proposals, elapsed):
        table.add_row(name, figure, detail)
    return table


def _rows(progress: Progress, proposals: Counter[str], elapsed: Elapsed) -> list[tuple[str, str, Text]]:
    fires, outcomes, runs = len(progress.fires), progress.outcomes(), progress.started_runs
    accepted = sum(not followed.refusals for followed in progress.events.values()) - fires
    statuses = progress.statuses()
    tokens = sum(run.input_tokens for run in runs), sum(run.output_tokens for run in runs)
    return [
        ("events", str(accepted), Text(f"accepted, and {fires} fires of schedules")),
        ("duplicates", str(progress.sent_again), Text("sent again and answered as before")),
        ("decisions", str(outcomes.total()), Text(f"{outcomes['run']} run, {outcomes['skipped']} skipped")),
        ("runs", str(statuses.total()), Text(", ").join(status_counts(statuses, ("completed", "failed")))),
        ("proposals", str(proposals.total()), Text(_kinds(proposals))),
        ("model calls", str(sum(run.model_calls for run in runs)), Text(f"{tokens[0]:,} tokens in, {tokens[1]:,} out")),
        ("elapsed", f"{elapsed.starting + elapsed.playing:.1f} s", Text(f"{elapsed.starting:.1f} s of it to start")),
    ]


def _kinds(proposals: Counter[str]) -> str:
    return ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in proposals.most_common())


def verdict(missing: list[str]) -> Text:
    """Return the last words: that all is well, or everything that is missing."""
    if not missing:
        return Text("Every event has its decisions, and every run ended.", "bold green")
    return Text("\n").join([Text("Something is missing:", "bold red"), *(Text(f"  {each}", "red") for each in missing)])
