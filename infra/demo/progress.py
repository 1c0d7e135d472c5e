"""How far a demo has come: what was sent, what was decided about it, and what became of the runs. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from contracts.envelope import Event
from infra.demo.observation import Decision, Json, Run, decision_of, run_of


@dataclass(slots=True)
class Followed:
    """One event, and what is known of it; without decisions the gate has not answered yet."""

    event: Event
    is_fire: bool = False
    decisions: tuple[Decision, ...] | None = None
    refusals: list[str] = field(default_factory=list)

    @property
    def run_ids(self) -> list[str]:
        """The runs that it started."""
        return [decision.run_id for decision in self.decisions or () if decision.run_id is not None]


@dataclass(frozen=True, slots=True)
class Note:
    """Something else that happened, for the table."""

    time: datetime | None
    project: str | None
    user: str | None
    what: str
    outcome: str


@dataclass(slots=True)
class Progress:
    """Everything that the demo has seen so far, in the order in which it happened."""

    entries: list[Followed | Note] = field(default_factory=list)
    events: dict[str, Followed] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    sent_again: int = 0
    troubles: list[str] = field(default_factory=list)

    def follow(self, event: Event, *, is_fire: bool = False) -> bool:
        """Begin to follow an event; return False when it is followed already."""
        if event.key in self.events:
            return False
        self.events[event.key] = Followed(event, is_fire)
        self.entries.append(self.events[event.key])
        return True

    def decide(self, key: str, decisions: Iterable[Json]) -> bool:
        """Take the gate's answer; return False when it differs from the first one."""
        followed, made = self.events[key], tuple(decision_of(each) for each in decisions)
        if followed.decisions is None:
            followed.decisions = made
        return followed.decisions == made

    def see_run(self, run: Json) -> None:
        """Take a run as the gateway shows it."""
        self.runs[run["id"]] = run_of(run)

    @property
    def fires(self) -> list[Followed]:
        """The fires of schedules among the events."""
        return [followed for followed in self.events.values() if followed.is_fire]

    @property
    def decisions(self) -> Iterator[Decision]:
        """Every decision."""
        return (decision for followed in self.events.values() for decision in followed.decisions or ())

    @property
    def started_runs(self) -> list[Run]:
        """The runs that followed events started and that were seen."""
        return [self.runs[run_id] for run_id in self._run_ids() if run_id in self.runs]

    def undecided(self) -> list[Followed]:
        """Return the accepted events without an answer of the gate."""
        return [each for each in self.events.values() if each.decisions is None and not each.refusals]

    def unended_runs(self) -> list[tuple[str, str]]:
        """Return organisation and id of each run that was started and not seen to end."""
        return [
            (followed.event.organisationid, run_id)
            for followed in self.events.values()
            for run_id in followed.run_ids
            if not self._has_ended(run_id)
        ]

    def is_settled(self, followed: Followed) -> bool:
        """Return whether nothing more will become of the event."""
        if followed.refusals:
            return True
        return followed.decisions is not None and all(self._has_ended(run_id) for run_id in followed.run_ids)

    def all_settled(self) -> bool:
        """Return whether nothing more will become of any event."""
        return all(self.is_settled(followed) for followed in self.events.values())

    def outcomes(self) -> Counter[str]:
        """Return how many decisions there are of each outcome."""
        return Counter(decision.outcome for decision in self.decisions)

    def statuses(self) -> Counter[str]:
        """Return how many runs there are in each status; a run that nobody has seen yet is queued."""
        return Counter(self.runs[run_id].status if run_id in self.runs else "queued" for run_id in self._run_ids())

    def missing(self) -> list[str]:
        """Return what keeps this from being a success, one line each."""
        return [*self.troubles, *self._refused(), *self._without_decisions(), *self._unfinished()]

    def _has_ended(self, run_id: str) -> bool:
        return run_id in self.runs and self.runs[run_id].has_ended

    def _run_ids(self) -> Sequence[str]:
        return [run_id for followed in self.events.values() for run_id in followed.run_ids]

    def _refused(self) -> Iterator[str]:
        for followed in self.events.values():
            yield from (f"{_named(followed)} was refused: {refusal}" for refusal in followed.refusals)

    def _without_decisions(self) -> Iterator[str]:
        yield from (f"{_named(followed)} has no decisions" for followed in self.undecided())

    def _unfinished(self) -> Iterator[str]:
        for followed in self.events.values():
            for decision in followed.decisions or ():
                run = self.runs.get(decision.run_id or "")
                if decision.run_id is not None and not (run is not None and run.has_ended_well):
                    yield f"{_named(followed)}: {decision.agent_key} {_state(run)} ({decision.run_id})"


def _state(run: Run | None) -> str:
    if run is None:
        return "was never seen to run"
    return f"{run.status}: {run.error or 'no reason given'}" if run.has_ended else f"is still {run.status}"


def _named(followed: Followed) -> str:
    return f"{followed.event.type} '{followed.event.id}'"
