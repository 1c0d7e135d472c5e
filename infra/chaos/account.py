"""The account of an exercise: what was accepted against what came of it. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

_TERMINAL: Final = frozenset({"completed", "failed", "cancelled"})


@dataclass(frozen=True, slots=True)
class SeenRun:
    """A run as the database holds it at the end."""

    id: str
    event_key: str
    status: str
    attempt: int
    error: str | None = None


@dataclass(frozen=True, slots=True)
class SeenEffect:
    """A proposal as the database holds it; `content` is what would change, in one text."""

    run_id: str
    content: str


@dataclass(frozen=True, slots=True)
class SeenCall:
    """A model call as the provider's journal holds it."""

    run_id: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that is there at the end. `answered` has the attempts that recorded an answer of the model, by run."""

    events: frozenset[str]
    undecided: int
    runs: Sequence[SeenRun]
    effects: Sequence[SeenEffect]
    calls: Sequence[SeenCall]
    answered: Mapping[str, Sequence[int]]


@dataclass(frozen=True, slots=True)
class Account:
    """The sums. Everything from `lost_events` on must be zero."""

    accepted: int
    runs: int
    attempts: int
    calls: int
    calls_repeated: int
    effects: int
    lost_events: int = 0
    lost_runs: int = 0
    lost_effects: int = 0
    duplicated_runs: int = 0
    duplicated_effects: int = 0
    calls_after_answer: int = 0
    stuck: int = 0
    failed: Mapping[str, int] = field(default_factory=dict)
    """Runs that ended otherwise than completed, by their error: no event of an exercise is meant to fail."""

    @property
    def lost(self) -> int:
        """How much is missing of what was accepted."""
        return self.lost_events + self.lost_runs + self.lost_effects

    def violations(self) -> list[str]:
        """Name everything that must be zero and is not."""
        return list(self._violations())

    def _violations(self) -> Iterator[str]:
        named = {
            "accepted events are not in the database": self.lost_events,
            "accepted events have no run": self.lost_runs,
            "completed runs lack their effect": self.lost_effects,
            "events have more than one run": self.duplicated_runs,
            "effects are there twice": self.duplicated_effects,
            "model calls were made although their answer was recorded": self.calls_after_answer,
            "events or runs are stuck": self.stuck,
        }
        yield from (f"{count} {name}" for name, count in named.items() if count)
        yield from (f"{count} runs ended with {code}" for code, count in self.failed.items())


def account_of(accepted: Mapping[str, str | None], seen: Seen) -> Account:
    """Compare; `accepted` has the keys of accepted events, and the mark in the text of those whose run has an effect."""
    runs_of = Counter(run.event_key for run in seen.runs)
    completed = {run.event_key for run in seen.runs if run.status == "completed"}
    proposed = Counter(effect.content for effect in seen.effects)
    marked = {mark for effect in seen.effects for mark in _words(effect.content)}
    expected = {mark for key, mark in accepted.items() if mark is not None and key in completed}
    return Account(
        accepted=len(accepted),
        runs=len(seen.runs),
        attempts=sum(run.attempt for run in seen.runs),
        calls=len(seen.calls),
        calls_repeated=len(seen.calls) - sum(len(attempts) for attempts in seen.answered.values()),
        effects=len(seen.effects),
        lost_events=len(accepted.keys() - seen.events),
        lost_runs=sum(1 for key in accepted if key in seen.events and not runs_of[key]),
        lost_effects=len(expected - marked),
        duplicated_runs=sum(1 for count in runs_of.values() if count > 1),
        duplicated_effects=sum(count - 1 for count in proposed.values()),
        calls_after_answer=sum(
            1 for call in seen.calls if call.attempt > max(seen.answered.get(call.run_id, [call.attempt]))
        ),
        stuck=seen.undecided + sum(1 for run in seen.runs if run.status not in _TERMINAL),
        failed=Counter(run.error or run.status for run in seen.runs if run.status in _TERMINAL - {"completed"}),
    )


def _words(content: str) -> list[str]:
    return content.replace(".", " ").replace('"', " ").split()
