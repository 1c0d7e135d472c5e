"""What is broken when, as data that a seed decides: the same seed, length and targets give the same plan. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from random import Random
from typing import Any, Final

MEAN_GAP_SECONDS: Final = 4.0
QUIET_SECONDS: Final = 3.0
"""Time at the beginning in which nothing is broken, so that there is work to disturb."""


class Action(StrEnum):
    """What is done to a target; each is undone after the fault's seconds."""

    KILL = "kill"
    """`kill -9`, and started again."""
    FREEZE = "freeze"
    """SIGSTOP, and SIGCONT."""
    WIPE = "wipe"
    """`kill -9`, its store deleted, and started again."""
    CUT = "cut"
    """Every connection is dropped, and none accepted until the end."""
    STALL = "stall"
    """Connections stay open, and nothing passes."""
    STALL_REQUESTS = "stall requests"
    """Nothing passes to the server; what it says still arrives."""
    STALL_ANSWERS = "stall answers"
    """The server hears everything; nothing comes back."""


SECONDS: Final[Mapping[Action, tuple[float, float]]] = {
    Action.KILL: (0.1, 4.0),
    # Up to longer than a lease, so that a runner that goes on has lost its runs.
    Action.FREEZE: (0.5, 8.0),
    Action.WIPE: (0.1, 3.0),
    Action.CUT: (0.0, 2.0),
    Action.STALL: (0.5, 6.0),
    Action.STALL_REQUESTS: (0.5, 6.0),
    Action.STALL_ANSWERS: (0.5, 6.0),
}
"""The shortest and the longest time of each action."""


TO_NATS: Final = "connections to nats"
TO_MONGODB: Final = "connections to mongod"
META_LEADER: Final = "leader of nats"
RUNS_LEADER: Final = "leader of the stream RUNS"
PRIMARY: Final = "primary of mongod"


@dataclass(frozen=True, slots=True)
class Target:
    """Something that can be broken. Of one group only one is broken at a time: a cluster keeps its majority."""

    name: str
    group: str
    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong, `at_second` from the start of the load, for `seconds`."""

    at_second: float
    action: Action
    target: str
    group: str
    seconds: float

    @property
    def ends_at(self) -> float:
        """The second at which it is undone."""
        return self.at_second + self.seconds

    def as_json(self) -> dict[str, Any]:
        """Return it for a report."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Card:
    action: Action
    target: Target


_PROCESS: Final = (Action.KILL, Action.FREEZE)
_CONNECTION: Final = (Action.CUT, Action.STALL, Action.STALL_REQUESTS, Action.STALL_ANSWERS)


def service_targets(runners: Sequence[str]) -> list[Target]:
    """Return the services; each is a group of its own, so several may be broken at a time."""
    return [Target(name, name, _PROCESS) for name in ("gateway", "gating", "scheduler", *runners)]


def targets(runners: Sequence[str], cluster: int) -> list[Target]:
    """Return what can be broken: everything but the provider of models."""
    return [*service_targets(runners), *(_cluster_targets(cluster) if cluster > 1 else _lone_targets())]


def _lone_targets() -> list[Target]:
    return [
        Target("nats", "nats", (*_PROCESS, Action.WIPE)),
        Target("mongod", "mongod", _PROCESS),
        Target(TO_NATS, "nats", _CONNECTION),
        Target(TO_MONGODB, "mongod", _CONNECTION),
    ]


def _cluster_targets(size: int) -> list[Target]:
    return [
        Target(META_LEADER, "nats", _PROCESS),
        Target(RUNS_LEADER, "nats", _PROCESS),
        *(Target(f"nats-{number}", "nats", (*_PROCESS, Action.WIPE)) for number in range(1, size + 1)),
        Target(PRIMARY, "mongod", _PROCESS),
        *(Target(f"mongod-{number}", "mongod", _PROCESS) for number in range(1, size + 1)),
        Target(TO_NATS, "nats", _CONNECTION),
    ]


def plan_faults(seed: int, seconds: float, among: Sequence[Target]) -> list[Fault]:
    """Return the faults of one exercise in their order; all of them are undone within `seconds`.

    Every action on every target comes up once before any comes up again, in random order, as far as the time allows.
    """
    random = Random(seed)  # noqa: S311 - to be repeated, not to be secret
    deck: list[_Card] = []
    free_at: dict[str, float] = {}
    faults: list[Fault] = []
    at = QUIET_SECONDS
    while (at := round(at + MEAN_GAP_SECONDS * random.uniform(0.25, 1.75), 2)) < seconds:
        if not deck:
            deck = [_Card(action, target) for target in among for action in target.actions]
            random.shuffle(deck)
        card = next((card for card in deck if free_at.get(card.target.group, 0.0) <= at), None)
        if card is None:
            continue
        deck.remove(card)
        fault = _fault(card, at, random)
        if fault.ends_at <= seconds:
            faults.append(fault)
            free_at[fault.group] = fault.ends_at
    return faults


def _fault(card: _Card, at: float, random: Random) -> Fault:
    shortest, longest = SECONDS[card.action]
    duration = round(random.uniform(shortest, longest), 2)
    return Fault(at, card.action, card.target.name, card.target.group, duration)
