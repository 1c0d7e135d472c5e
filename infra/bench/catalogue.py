"""Every scenario, in the order in which they run; neighbours with equal needs share one platform."""

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from infra.bench.scenario import Scenario
from infra.bench.scenarios import (
    accepts,
    gate,
    inbox,
    latency,
    memory,
    noop_runs,
    retrieval,
    slow_runs,
    status_list,
    worker_killed,
)
from infra.bench.site import Needs

_PLAIN: Final = Needs(environment=(("RUNNER_SLOTS", "64"), ("GATE_WAIT_SECONDS", "0")))
# Of its own: the Agents and bindings of the one scenario would be in the way of the others.
_CONFIGURED: Final = Needs(environment=(("RUNNER_SLOTS", "64"),))

SCENARIOS: Final[tuple[Scenario, ...]] = (
    Scenario("memory", "memory of each idle process", _PLAIN, 10, memory.measure),
    Scenario("latency", "time to start and to complete at 20 events/s", _PLAIN, 60, latency.measure),
    Scenario("accepts", "accepted events per second", _PLAIN, 60, accepts.measure),
    Scenario("noop", "no-op runs per second", _PLAIN, 90, noop_runs.measure),
    Scenario("status", "listing a user's runs beside a long history", _PLAIN, 60, status_list.measure),
    Scenario("inbox", "listing 10,000 pending proposals of a user, and approving some", _PLAIN, 60, inbox.measure),
    Scenario("retrieval", "finding documents among 100,000 chunks", _PLAIN, 180, retrieval.measure),
    Scenario("gate", "deciding events beside 20,000 bindings", _CONFIGURED, 90, gate.measure),
    Scenario("slow", "runs of half a second on 256 slots", slow_runs.NEEDS, 60, slow_runs.measure),
    Scenario("killed", "a runner killed with open runs", slow_runs.NEEDS, 60, worker_killed.measure),
)
NAMES: Final = tuple(scenario.name for scenario in SCENARIOS)


def chosen(names: Sequence[str]) -> list[tuple[Needs, list[Scenario]]]:
    """Return the named scenarios, or all, grouped by the platform they share."""
    wanted = [scenario for scenario in SCENARIOS if not names or scenario.name in names]
    return [(needs, list(group)) for needs, group in groupby(wanted, key=lambda scenario: scenario.needs)]
