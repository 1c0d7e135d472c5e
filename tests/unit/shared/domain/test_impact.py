"""What a change of an Agent ends, and why somebody has to confirm it."""

import pytest

from contracts.agent_kinds import AgentStatus
from contracts.lifecycle import Shutdown
from shared.domain.impact import Archiving, Cancels, Change, Disabling, OpenRuns, StatusChange, cancels, dependents
from tests.unit.shared.given import a_spec, triggered

OPEN = OpenRuns(queued=3, running=1)


@pytest.mark.parametrize(
    ("change", "ended"),
    [
        (StatusChange(AgentStatus.ACTIVE), Cancels()),
        (StatusChange(AgentStatus.ACTIVE, Shutdown.IMMEDIATE), Cancels()),
        (StatusChange(AgentStatus.INACTIVE), Cancels(3)),
        (StatusChange(AgentStatus.INACTIVE, Shutdown.SCHEDULED), Cancels(3)),
        (StatusChange(AgentStatus.INACTIVE, Shutdown.IMMEDIATE), Cancels(3, 1)),
        (StatusChange(AgentStatus.PAUSED), Cancels()),
        (StatusChange(AgentStatus.MAINTENANCE, Shutdown.SCHEDULED), Cancels()),
        (StatusChange(AgentStatus.PAUSED, Shutdown.IMMEDIATE), Cancels(3, 1)),
        (Archiving(), Cancels()),
        (Disabling(), Cancels(3)),
    ],
)
def test_a_change_ends_what_its_status_and_its_shutdown_end(change: Change, ended: Cancels) -> None:
    assert cancels(change, OPEN) == ended
    assert cancels(change, OpenRuns(0, 0)).reasons == []


def test_each_kind_of_run_that_would_end_is_a_reason_to_ask() -> None:
    assert Cancels(3, 1).reasons == ["3 queued runs would be cancelled.", "1 running run would be stopped."]


def test_agents_whose_filters_name_this_one_depend_on_it() -> None:
    follower = triggered("follower", "job.finished").model_dump()
    follower["triggers"][0]["when"] = "event.source == 'noter'"
    other = triggered("other").model_dump()
    other["triggers"][0]["when"] = "event.source == 'noters'"

    assert dependents("noter", [a_spec("noter"), a_spec(**follower), a_spec(**other)]) == ["follower"]
