"""How fast a provider's lane may be used: one endpoint's model, with the limits that its provider sets.

Two buckets, of requests and of tokens, fill steadily and may be emptied in small bursts, so that no minute sees more
than the limit. A refusal closes the lane for a while and halves its pace, which then comes back little by little. A
provider whose limits nobody configured is not slowed down until it refuses; from then on, and until the pace is whole
again, the lane learns the limit from how fast the calls were that it refused.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

MINUTE_SECONDS = 60.0
BURST = 0.1
"""The part of a minute's limit that may be used at once."""
PACE_AFTER_REFUSAL = 0.5
LEAST_PACE = 1 / 64
RECOVERY_PER_SECOND = 0.5 / MINUTE_SECONDS
LEAST_LEARNED_REQUESTS = 60.0
LONGEST_CLOSURE_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What the provider allows in a minute; 0 when nobody knows."""

    requests_per_minute: float = 0.0
    tokens_per_minute: float = 0.0


@dataclass(frozen=True, slots=True)
class LaneState:
    """A lane at a moment.

    `requests` and `tokens` is the room in the buckets, negative when it is promised already, None when nothing limits
    it. `learned_requests` per minute counts only while the pace is below 1. `episode` counts how often a calm lane was
    refused.
    """

    at: datetime
    requests: float | None = None
    tokens: float | None = None
    closed_until: datetime | None = None
    pace: float = 1.0
    learned_requests: float = 0.0
    episode: int = 0

    def closed_for_seconds(self, now: datetime) -> float:
        """Return how long nobody may call."""
        return 0.0 if self.closed_until is None else max((self.closed_until - now).total_seconds(), 0.0)

    def is_calm(self, now: datetime) -> bool:
        """Tell whether no refusal counts any more."""
        return self.closed_for_seconds(now) == 0.0 and self.pace_at(now) >= 1.0

    def pace_at(self, now: datetime) -> float:
        """Return the part of the limits that may be used, from 0 to 1."""
        return min(self.pace + _seconds(self.at, now) * RECOVERY_PER_SECOND, 1.0)


@dataclass(frozen=True, slots=True)
class Go:
    """The call may be made, after this wait."""

    after_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Busy:
    """There is no room soon; nothing was taken."""

    retry_after_seconds: float


@dataclass(frozen=True, slots=True)
class _Bucket:
    """A bucket of `size` that fills by `per_second`. A size of None never runs out."""

    size: float | None
    per_second: float = 0.0

    def filled(self, room: float | None, seconds: float) -> float | None:
        if self.size is None:
            return None
        return self.size if room is None else min(room + seconds * self.per_second, self.size)

    def wait_seconds(self, room: float | None, cost: float) -> float:
        """Return when there is room for the cost, or a full bucket for what is larger than that."""
        if self.size is None or room is None:
            return 0.0
        return max((min(cost, self.size) - room) / self.per_second, 0.0)


def advanced(state: LaneState, limits: Limits, now: datetime) -> LaneState:
    """Return the lane as it is now, with the buckets filled as fast as the pace was at the beginning."""
    seconds = _seconds(state.at, now)
    pace = state.pace_at(now)
    moved = replace(state, at=max(state.at, now), pace=pace)
    requests, tokens = _requests_bucket(moved, limits), _tokens_bucket(moved, limits)
    slow_requests, slow_tokens = _requests_bucket(state, limits), _tokens_bucket(state, limits)
    return replace(
        moved,
        requests=requests.filled(slow_requests.filled(state.requests, seconds), 0.0),
        tokens=tokens.filled(slow_tokens.filled(state.tokens, seconds), 0.0),
    )


def reserve(
    state: LaneState, limits: Limits, tokens: int, now: datetime, patience_seconds: float
) -> tuple[LaneState, Go | Busy]:
    """Take the room for a call of about so many tokens, unless the wait for it is longer than the patience."""
    lane = advanced(state, limits, now)
    wait_seconds = max(
        lane.closed_for_seconds(now),
        _requests_bucket(lane, limits).wait_seconds(lane.requests, 1.0),
        _tokens_bucket(lane, limits).wait_seconds(lane.tokens, tokens),
    )
    if wait_seconds > patience_seconds:
        return lane, Busy(wait_seconds)
    taken = replace(lane, requests=_less(lane.requests, 1.0), tokens=_less(lane.tokens, tokens))
    return taken, Go(wait_seconds)


def returned(state: LaneState, tokens: int) -> LaneState:
    """Give back tokens that a call had reserved and not used; negative when it used more."""
    return replace(state, tokens=_less(state.tokens, -tokens))


def refused(
    state: LaneState, limits: Limits, now: datetime, asked_seconds: float | None, requests_per_minute: float
) -> LaneState:
    """Close the lane for as long as the provider asked, else the longer the slower the lane already is.

    Calls that were under way together are refused together: only the first of them slows the lane down.
    `requests_per_minute` is how fast the calls were.
    """
    lane = advanced(state, limits, now)
    if lane.is_calm(now):
        learned = max(requests_per_minute, LEAST_LEARNED_REQUESTS)
        lane = replace(lane, learned_requests=learned, episode=lane.episode + 1)
    if lane.closed_for_seconds(now) == 0.0:
        lane = replace(lane, pace=max(lane.pace * PACE_AFTER_REFUSAL, LEAST_PACE))
    for_seconds = min(asked_seconds or 1.0 / lane.pace, LONGEST_CLOSURE_SECONDS)
    until = now + timedelta(seconds=for_seconds)
    return replace(advanced(lane, limits, now), closed_until=max(until, lane.closed_until or until))


def taught(state: LaneState, requests_per_minute: float) -> LaneState:
    """Add how fast another runner's calls were when the lane was refused."""
    return replace(state, learned_requests=state.learned_requests + requests_per_minute)


def is_limited(state: LaneState | None, limits: Limits, now: datetime) -> bool:
    """Tell whether calls have to ask for room at all."""
    has_limits = limits.requests_per_minute > 0 or limits.tokens_per_minute > 0
    return has_limits or (state is not None and not state.is_calm(now))


def _requests_bucket(state: LaneState, limits: Limits) -> _Bucket:
    per_minute = limits.requests_per_minute * state.pace
    if per_minute == 0 and state.pace < 1.0:
        per_minute = state.learned_requests * state.pace
    if per_minute == 0:
        return _Bucket(None)
    size = max(per_minute * BURST, 1.0)
    # A minute that begins with a full bucket sees its size, and what it is filled by before the minute is over.
    return _Bucket(size, (per_minute + 1.0 - size) / MINUTE_SECONDS)


def _tokens_bucket(state: LaneState, limits: Limits) -> _Bucket:
    per_minute = limits.tokens_per_minute * state.pace
    if per_minute == 0:
        return _Bucket(None)
    return _Bucket(per_minute * BURST, per_minute * (1.0 - BURST) / MINUTE_SECONDS)


def _less(room: float | None, cost: float) -> float | None:
    return None if room is None else room - cost


def _seconds(since: datetime, now: datetime) -> float:
    return max((now - since).total_seconds(), 0.0)
