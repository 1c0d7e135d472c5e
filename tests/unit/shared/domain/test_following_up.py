"""Who follows the end of a job, and what of it is said."""

import pytest

from contracts.agents import EffectKind
from shared.catalog import job_follow_up
from shared.domain.configuration import Configuration
from shared.domain.decide import decide
from shared.domain.decision import RunDecided, Target
from shared.domain.following_up import is_follow_up, message_effect, message_of, shortened
from shared.domain.projection import proposals_of
from shared.domain.run import RunStatus
from tests.unit.shared.given import NOW, a_memory_effect, a_new_run, a_spec, a_stored_run, a_version, an_event

AGENT = job_follow_up.AGENT
WRITER = a_spec("writer", effects=[EffectKind.SESSION_MESSAGE])
READER = a_spec("reader")


@pytest.mark.parametrize(
    ("named", "starts"),
    [(None, AGENT.key), ("writer", "writer"), ("reader", AGENT.key), ("unknown", AGENT.key)],
    ids=["nobody is named", "one that may write", "one that may not", "one that is not there"],
)
def test_the_agent_that_a_job_names_follows_its_end_if_it_may_write(named: str | None, starts: str) -> None:
    configuration = Configuration()
    configuration.replace_agents([a_version(spec) for spec in (AGENT, WRITER, READER)])
    event = an_event("job.finished", data={"agent_key": named, "session_id": "chat-1"})

    (decision,) = decide(event, configuration, NOW)

    assert isinstance(decision, RunDecided)
    assert (decision.agent_key, decision.target) == (starts, Target("session", "chat-1"))


def test_a_long_output_keeps_its_head_and_its_tail() -> None:
    cut = shortened("head" + "x" * 1_000 + "tail", 100)

    assert (cut[:4], cut[-4:], "908 characters left out" in cut) == ("head", "tail", True)
    assert shortened("short", 100) == "short"


def test_what_is_said_is_a_message_and_no_proposal() -> None:
    run = a_new_run(target=Target("session", "chat-1"), event_type="job.finished")
    effects = [a_memory_effect(), message_effect(1, "It is built.", {"job_id": "job-1"})]
    stored = a_stored_run(RunStatus.COMPLETED, run, effects=effects)

    message = message_of(stored)

    assert message is not None
    assert (message["session_id"], message["text"], message["metadata"]) == (
        "chat-1",
        "It is built.",
        {"job_id": "job-1"},
    )
    assert message_of(stored) == message
    assert [proposal["kind"] for proposal in proposals_of(stored)] == ["memory_diff"]


@pytest.mark.parametrize(
    ("facts", "is_one"),
    [({}, True), ({"event_type": "chat.turn_completed"}, False), ({"replay": {"id": "rpl_1", "of": "run_2"}}, False)],
    ids=["of a job", "of a turn", "replayed"],
)
def test_only_runs_of_ended_jobs_continue_sessions(facts: dict[str, object], is_one: bool) -> None:
    run = a_stored_run(run=a_new_run(target=Target("session", "chat-1"), event_type="job.finished")) | facts

    assert is_follow_up(run) is is_one
