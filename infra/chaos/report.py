"""What a person reads, and what a program reads, of an exercise."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from infra.bench.figures import percentile
from infra.chaos.exercise import NOT_AT_REST, Outcome
from infra.chaos.plan import Fault

Row = tuple[str, str, str]


def as_tables(outcome: Outcome, replay: str) -> RenderableType:
    """Return the table of an exercise and what was violated; `replay` is the command that does it again."""
    table = Table(title="What came of it", title_justify="left", title_style="bold", show_header=False, box=box.SIMPLE)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", style="bold", no_wrap=True)
    table.add_column(style="dim")
    for row in _rows(outcome):
        table.add_row(*row)
    violations = outcome.violations()
    wrong = [Text(f"WRONG: {each}", style="bold red") for each in violations]
    verdict = Text("nothing lost, nothing twice, nothing stuck", style="bold green")
    again = Text(f"the same again: {replay}", style="dim")
    return Group(Text(), table, *(wrong or [verdict]), again)


def as_json(outcome: Outcome, plan: Sequence[Fault]) -> dict[str, Any]:
    """Return everything that was counted, with the plan."""
    account = asdict(outcome.account)
    return {
        "order": asdict(outcome.order),
        "plan": [fault.as_json() for fault in plan],
        "sent": outcome.sending.sent,
        "asked_again": outcome.sending.unanswered,
        "answers": dict(outcome.sending.answers),
        "sending_seconds": outcome.sending.seconds,
        "settled_after": outcome.settled_after,
        "account": account | {"failed": dict(outcome.account.failed)},
        "take_over_seconds": list(outcome.take_over_seconds),
        "doctor": list(outcome.doctor),
        "violations": outcome.violations(),
    }


def _rows(outcome: Outcome) -> Iterator[Row]:
    order, sending, account = outcome.order, outcome.sending, outcome.account
    yield "seed", str(order.seed), f"{outcome.faults} faults in {order.seconds:.0f} s"
    per_second = sending.sent / sending.seconds
    asked = f"{per_second:.0f}/s of {order.per_second:.0f}/s asked for; {sending.unanswered} requests repeated"
    yield "events accepted", f"{account.accepted:,}", asked
    yield "runs", f"{account.runs:,}", f"{order.model_share:.0%} ask a model; the others wait; 0.2 to 2 s each"
    yield "attempts", f"{account.attempts:,}", f"{account.attempts - account.runs:,} more than runs"
    yield "model calls made", f"{account.calls:,}", "as the provider counts them"
    yield "  of these repeated", f"{account.calls_repeated:,}", "the call under way when its attempt was lost"
    yield "  after an answer was recorded", f"{account.calls_after_answer:,}", ""
    yield "effects", f"{account.effects:,}", "proposals"
    yield "lost", f"{account.lost:,}", "events, runs, effects"
    yield "duplicated effects", f"{account.duplicated_effects:,}", f"and {account.duplicated_runs:,} duplicated runs"
    yield "stuck", f"{account.stuck:,}", _rest(outcome)
    yield "worst take-over", *_take_over(outcome.take_over_seconds)
    yield "doctor", "clean" if not outcome.doctor else f"{len(outcome.doctor)} wrong", ""


def _rest(outcome: Outcome) -> str:
    if outcome.settled_after is None:
        return NOT_AT_REST.format(outcome.order.patience_seconds)
    return f"at rest {outcome.settled_after:.1f} s after the last event was accepted"


def _take_over(seconds: Sequence[float]) -> tuple[str, str]:
    if not seconds:
        return "-", "no runner with open runs was killed"
    median = percentile(seconds, 50)
    return f"{max(seconds):.1f} s", f"p50 {median:.1f} s of {len(seconds)} runs, whatever else was broken meanwhile"
