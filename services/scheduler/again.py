"""When the sweep looks at something again. Pure."""

from datetime import datetime, timedelta

SOONEST = timedelta(seconds=3)
LATEST = timedelta(seconds=60)


def look_again_at(since: datetime, now: datetime) -> datetime:
    """Return the next moment to look at what has been waiting since then: the longer it waits, the less often."""
    return now + min(max(now - since, SOONEST), LATEST)
