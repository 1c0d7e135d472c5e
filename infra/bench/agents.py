"""The Agents that the benchmark publishes."""

from typing import Final

from contracts.agents import AgentSpec, EventTrigger, TargetRule
from infra.bench.load.bodies import TARGET_TYPE

RUNS_OF: Final = "ticket.opened"
"""Events of this type start a run of the benchmark's Agent, and of no other."""
RUNS_NOTHING: Final = "ticket.changed"
"""Events of this type match no Agent."""

_TRIGGER = EventTrigger(event=RUNS_OF, target=TargetRule(type=TARGET_TYPE, id="{data.ticket_id}"))

NOOP: Final = AgentSpec(key="noop", name="Does nothing", handler="noop", triggers=(_TRIGGER,))
SLOW: Final = AgentSpec(
    key="slow", name="Asks a slow model", instructions="Say what this is about.", triggers=(_TRIGGER,)
)
