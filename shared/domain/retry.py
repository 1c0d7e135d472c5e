"""How long to wait before the next attempt."""

FIRST_DELAY_SECONDS = 1.0
LONGEST_DELAY_SECONDS = 300.0


def retry_delay_seconds(failures: int, asked_seconds: float | None, jitter: float) -> float:
    """Return the delay after this many failures, the first being 1.

    Doubles with every failure, and spreads by `jitter` (0 to 1) over the upper half, so that runs which failed
    together do not return together. Never shorter than what the other side asked for, and spread over a quarter beyond
    that.
    """
    longest: float = min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2 ** (failures - 1))
    delay = longest * (0.5 + jitter / 2)
    return max(delay, (asked_seconds or 0.0) * (1 + jitter / 4))
