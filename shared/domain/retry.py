"""How long to wait before the next attempt."""

FIRST_DELAY_SECONDS = 1.0
LONGEST_DELAY_SECONDS = 300.0


def retry_delay_seconds(
    failures: int, asked_seconds: float | None, jitter: float, first_seconds: float | None = None
) -> float:
    """Return the delay after this many failures, the first being 1.

    Doubles with every failure, and spreads by `jitter` (0 to 1) over the upper half, so that runs which failed
    together do not return together. Never shorter than what the other side asked for, nor than the Agent's own first
    delay, which doubles as well: both are spread over a quarter beyond that.
    """
    own = _doubled(FIRST_DELAY_SECONDS, failures) * (0.5 + jitter / 2)
    least = max(asked_seconds or 0.0, 0.0 if first_seconds is None else _doubled(first_seconds, failures))
    return max(own, least * (1 + jitter / 4))


def _doubled(first_seconds: float, failures: int) -> float:
    return float(min(max(LONGEST_DELAY_SECONDS, first_seconds), first_seconds * 2 ** (failures - 1)))
