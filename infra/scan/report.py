"""What a scan of planted tickets came to, in lines. Pure."""

from dataclasses import dataclass

from infra.scan.planting import Planted
from infra.scan.scanning import Found, reached, score

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


def as_text(found: Found, planted: Planted, prices: Prices) -> str:
    """Return what was found of what was planted, and what it took."""
    lines = [_found("duplicates", *score(found.duplicates, planted.duplicates), len(planted.duplicates))]
    lines.append(_found("conflicts", *score(found.conflicts, planted.conflicts), len(planted.conflicts)))
    lines.append(f"  planted pairs that the model was asked about: {reached(found, planted):.1%}")
    return "\n".join([*lines, _took(found, prices)])


def again_as_text(found: Found, prices: Prices) -> str:
    """Return what a second scan took."""
    return f"Once more, after one ticket was changed:\n{_took(found, prices)}"


def _found(what: str, recall: float, precision: float, planted: int) -> str:
    return f"  {what:<11} {planted:>3} planted: recall {recall:.1%}, precision {precision:.1%}"


def _took(found: Found, prices: Prices) -> str:
    figures, usage = found.figures, found.usage
    read = usage.input_tokens - int(figures["embedding_tokens"])
    cost = prices.of(found)
    return "\n".join(
        [
            f"  pairs: {figures['compared']:,} judged, {figures['known']:,} known, {figures['left']:,} left",
            f"  model calls: {figures['model_calls']:,}, tokens in {read:,} and out {usage.output_tokens:,}",
            f"  embedding calls: {figures['embedding_calls']:,}, tokens {figures['embedding_tokens']:,}",
            f"  cost: {'no prices were given' if cost is None else f'{cost:.4f}'}; {found.seconds:.1f} s",
        ]
    )
