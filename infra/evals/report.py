"""What a person reads of the scores."""

from collections.abc import Iterable, Mapping, Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from infra.evals.performing import Performance
from infra.evals.scores import Change, Score, failures_of, scores_of

OFFLINE_WARNING = (
    "There is no OPENAI_API_KEY, so the offline model answers. It is no AI: it finds words by rules. These scores say that"
    " the plumbing works, and nothing about the quality of any Agent."
)
_MOST_LISTED = 40


def as_tables(performances: Sequence[Performance], model: str, *, is_offline: bool) -> RenderableType:
    """Return the scores by Agent, and every case that failed with what did not hold."""
    scores = scores_of(performances)
    parts: list[RenderableType] = [Text(OFFLINE_WARNING, style="bold yellow")] if is_offline else []
    parts += [_scores(scores, model), Text(_cost(scores), style="dim"), *_failures(performances)]
    return Group(*parts)


def as_changes(changes: Iterable[Change], file: str) -> RenderableType:
    """Return how each Agent does beside the results of that file."""
    table = Table(title=f"Beside {file}", box=box.SIMPLE_HEAD, title_justify="left")
    for heading in ("Agent", "passed", "newly failing", "newly passing"):
        table.add_column(heading)
    for each in changes:
        table.add_row(
            each.agent, f"{each.pass_rate:+.0%}", "\n".join(each.newly_failing), "\n".join(each.newly_passing)
        )
    return table


def _scores(scores: Mapping[str, Score], model: str) -> Table:
    table = Table(title=f"Evaluation sets on {model}", box=box.SIMPLE_HEAD, title_justify="left")
    table.add_column("Agent", no_wrap=True)
    for heading in ("cases", "passed", "found", "kept\nout", "precise", "made", "calls", "tokens"):
        table.add_column(heading, justify="right")
    for agent, score in scores.items():
        table.add_row(agent, *_row(score))
    return table


def _row(score: Score) -> tuple[str, ...]:
    return (
        str(score.performances),
        f"{score.pass_rate:.0%}",
        _of(score.found, score.wanted),
        _of(score.kept_out, score.forbidden),
        f"{score.precision:.0%}" if score.proposals else "-",
        str(score.proposals),
        str(score.model_calls),
        f"{score.input_tokens + score.output_tokens:,}",
    )


def _of(part: int, whole: int) -> str:
    return f"{part}/{whole}" if whole else "-"


def _cost(scores: Mapping[str, Score]) -> str:
    total = Score()
    for score in scores.values():
        total = total.plus(score)
    return (
        f"In all {total.model_calls:,} model calls, {total.input_tokens:,} tokens in and {total.output_tokens:,} out."
        f" {total.failed_to_answer} of {total.performances} performances gave no answer."
    )


def _failures(performances: Sequence[Performance]) -> list[Text]:
    failed = [each for each in performances if not each.passed]
    lines = [Text(f"\n{len(failed)} of {len(performances)} did not pass", style="bold")] if failed else []
    for each in failed[:_MOST_LISTED]:
        lines.append(Text(f"{each.agent} {each.case.id}: {each.case.about}"))
        lines.extend(Text(f"  {failure}", style="red") for failure in failures_of(each))
    if len(failed) > _MOST_LISTED:
        lines.append(Text(f"and {len(failed) - _MOST_LISTED} more; --json FILE has all of them", style="dim"))
    return lines
