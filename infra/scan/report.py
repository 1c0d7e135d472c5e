"""What a scan of planted tickets came to, as a person reads it. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from infra.scan.planting import MadeTicket, Pair, Planted
from infra.scan.scanning import Found, score
from infra.scan.timing import INDEX, JUDGING, NEIGHBOURS, VECTORS

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Prices:
    """Of a million tokens each; None where nobody said."""

    input: float | None = None
    output: float | None = None
    embedding: float | None = None

    def of(self, found: Found) -> float | None:
        """Return what a scan cost, when all prices are known."""
        if self.input is None or self.output is None or self.embedding is None:
            return None
        embedded = int(found.figures["embedding_tokens"])
        read, said = found.usage.input_tokens - embedded, found.usage.output_tokens
        return (read * self.input + said * self.output + embedded * self.embedding) / _MILLION


def as_table(found: Found, planted: Planted, prices: Prices) -> RenderableType:
    """Return what was found of what was planted, and what it took."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("Pairs")
    for heading in ("planted", "reached the model", "found", "false", "recall", "precision"):
        table.add_column(heading, justify="right")
    table.add_row("duplicates", *_row(found.duplicates, planted.duplicates, found.asked))
    table.add_row("conflicts", *_row(found.conflicts, planted.conflicts, found.asked))
    return Group(table, _took(found, prices))


def again_as_table(what: str, found: Found, prices: Prices) -> RenderableType:
    """Return what a later scan took."""
    return Group(Text(f"\n{what}", style="bold"), _took(found, prices))


def misses(found: Found, planted: Planted, most: int) -> RenderableType:
    """Return a few of the pairs of each kind that were missed, or found though nobody planted them."""
    tickets = {each.id: each for each in planted.tickets}
    parts: list[RenderableType] = []
    for kind, told, wanted in (
        ("duplicates", found.duplicates, planted.duplicates),
        ("conflicts", found.conflicts, planted.conflicts),
    ):
        for what, pairs in (
            (f"{kind} that did not reach the model", wanted - found.asked),
            (f"{kind} that were missed", (wanted & found.asked) - told),
            (f"false {kind}", told - wanted),
        ):
            parts += _listed(what, pairs, tickets, most)
    return Group(*parts)


def _row(told: frozenset[Pair], wanted: frozenset[Pair], asked: frozenset[Pair]) -> Iterator[str]:
    recall, precision = score(told, wanted)
    yield from (f"{len(wanted):,}", f"{len(wanted & asked):,}", f"{len(wanted & told):,}", f"{len(told - wanted):,}")
    yield from (f"{recall:.0%}", f"{precision:.0%}" if told else "-")


def _listed(
    what: str, pairs: frozenset[Pair], tickets: Mapping[str, MadeTicket], most: int
) -> Iterator[RenderableType]:
    if pairs:
        yield Text(f"\n{len(pairs):,} {what}", style="bold")
    for pair in islice(sorted(pairs, key=sorted), most):
        yield Text(
            "\n".join(f"  {id_} {tickets[id_].title} / {tickets[id_].description}" for id_ in sorted(pair)) + "\n"
        )


def _took(found: Found, prices: Prices) -> Table:
    figures, usage = found.figures, found.usage
    embedded = int(figures["embedding_tokens"])
    cost = prices.of(found)
    table = Table.grid(padding=(0, 2))
    table.add_row("  pairs", f"{figures['compared']:,} judged, {figures['known']:,} known, {figures['left']:,} left")
    read = f"{usage.input_tokens - embedded:,} tokens in, {usage.output_tokens:,} out"
    table.add_row("  model", f"{figures['model_calls']:,} calls, {read}")
    table.add_row("  vectors", f"{figures['embedding_calls']:,} calls, {embedded:,} tokens")
    table.add_row("  cost", "no prices were given" if cost is None else f"{cost:.4f}")
    table.add_row("  seconds", f"{found.seconds:.1f}: {_parts(found)}")
    return table


def _parts(found: Found) -> str:
    """Return the seconds of each part; what is left is reading, comparing words and writing verdicts."""
    parts = {name: found.seconds_of.get(name, 0.0) for name in (VECTORS, INDEX, NEIGHBOURS, JUDGING)}
    parts["the rest"] = found.seconds - sum(parts.values())
    return ", ".join(f"{name} {seconds:.1f}" for name, seconds in parts.items())
