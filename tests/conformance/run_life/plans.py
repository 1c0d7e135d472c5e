"""What may happen in the examples: which runs there are, what they compete for, and how attempts end."""

from hypothesis import strategies as st

from contracts.lanes import Lane
from shared.domain.decision import Target
from shared.domain.run import (
    Cancelled,
    Done,
    Failed,
    Outcome,
    Postponed,
    Refused,
    RetryAfter,
    RunError,
    RunStatus,
    Usage,
    Waiting,
)
from shared.domain.slot import CRITICAL_RESERVE, OwnLimits, paused_key, slots_of
from tests.conformance.run_life.crew import LEASE_SECONDS, LIMITS
from tests.conformance.run_life.process import Stop
from tests.unit.shared.given import a_new_run

ERROR = RunError("model_unavailable", "It hung up.")
DELAY_SECONDS = 10
QUEUE_SECONDS = 1_000
ROUNDS = 40
ROUND_SECONDS = 61

OWN = OwnLimits(per_target=1, per_agent=2)
RUNS = {
    run.id: run
    for run in (
        a_new_run("run_1", own_limits=OWN),
        a_new_run("run_2", own_limits=OWN, queue_timeout_seconds=QUEUE_SECONDS),
        a_new_run("run_3", own_limits=OWN, lane=Lane.HIGH, run_timeout_seconds=2_000),
        a_new_run("run_4", own_limits=OWN, target=Target("doc", "review"), run_timeout_seconds=500),
        a_new_run("run_5", agent_key="pulse"),
        a_new_run("run_6", agent_key="pulse", organisation="globex", lane=Lane.LOW),
    )
}
DELAYED = "run_5"
IMPATIENT = "run_2"
SLOTS = {
    slot.key: slot.limit - (CRITICAL_RESERVE if slot.kind is Waiting.ORGANISATION else 0)
    for run in RUNS.values()
    for slot in slots_of(run.organisation, run.agent_key, run.target, run.lane, run.own_limits, LIMITS)
}
IDS = st.sampled_from(sorted(RUNS))
SOME_IDS = st.just(frozenset(RUNS)) | st.frozensets(IDS, min_size=1)
FEW_IDS = st.frozensets(IDS, min_size=1, max_size=2)
OWNERS = st.sampled_from(["runner-1", "runner-2"])
SOME_STOPS = st.builds(Stop, at=st.integers(1, 9), is_written=st.booleans())
STOPS = st.none() | SOME_STOPS
STEPS_SECONDS = st.sampled_from([1, 5, LEASE_SECONDS + 1, 700])
OUTCOMES: st.SearchStrategy[Outcome | None] = st.sampled_from(
    [
        None,
        Done({"summary": "well"}),
        RetryAfter(5, ERROR),
        Postponed(10, Waiting.PROVIDER, "later"),
        Postponed(10, Waiting.PAUSED, "paused", paused_key("acme", "noter")),
        Failed(ERROR),
        Refused(ERROR),
        Cancelled(ERROR, Usage()),
        Cancelled(ERROR, Usage(), only_if_wanted=True),
    ]
)
ENDS_AS = {
    Done: RunStatus.COMPLETED,
    Failed: RunStatus.FAILED,
    Refused: RunStatus.CANCELLED,
    Cancelled: RunStatus.CANCELLED,
}
