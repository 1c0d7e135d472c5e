"""A database that has answered for as long as a test says."""

from services.scheduler.steadiness import LONGEST_GAP_SECONDS, STEADY_AFTER_SECONDS, Steadiness


class Seconds:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def answering(seconds: Seconds, steadiness: Steadiness, for_seconds: float) -> None:
    """Have the database answer without a gap for this long."""
    end = seconds.now + for_seconds
    while seconds.now < end:
        seconds.now = min(end, seconds.now + LONGEST_GAP_SECONDS)
        steadiness.answered()


def steady() -> Steadiness:
    """Return that of a database that has answered for long enough."""
    seconds = Seconds()
    steadiness = Steadiness(seconds)
    answering(seconds, steadiness, STEADY_AFTER_SECONDS)
    return steadiness
