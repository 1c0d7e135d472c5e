"""Batches: whose run is next, how far they are, and what a run of one is shown."""

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.batch import Batch, Child, Plan, child_run_id, event_for, plan_of, progress_of
from shared.domain.run import ACTIVE, RunStatus

USERS = ("ada", "bob", "cyd", "dan")
STATUSES = st.sampled_from(RunStatus)


def completed(user: str, proposed: int = 0, round: int = 1) -> Child:
    return Child(
        user, round, RunStatus.COMPLETED, tally={"queries_executed": 2, "queries_failed": 1}, proposed=proposed
    )


def failed(user: str, round: int = 1) -> Child:
    return Child(user, round, RunStatus.FAILED, {"code": "model_refused", "detail": "No." * 200})


def test_as_many_runs_are_open_as_the_batch_allows_in_the_order_of_its_users() -> None:
    batch = Batch(USERS, 2)

    assert plan_of(batch, []) == Plan(("ada", "bob"), is_over=False)
    running = Child("ada", 1, RunStatus.RUNNING)
    assert plan_of(batch, [running, completed("bob")]) == Plan(("cyd",), is_over=False)
    assert plan_of(batch, [running, Child("bob", 1, RunStatus.QUEUED)]) == Plan((), is_over=False)


def test_a_batch_is_over_when_everybodys_run_has_ended_however_it_did() -> None:
    children = [completed("ada"), failed("bob"), Child("cyd", 1, RunStatus.CANCELLED), completed("dan")]

    assert plan_of(Batch(USERS, 2), children) == Plan((), is_over=True)
    assert plan_of(Batch(USERS, 2), children[1:]) == Plan(("ada",), is_over=False)


def test_the_next_round_is_for_those_who_did_not_complete_or_are_missing_and_each_gets_one_run() -> None:
    first = [completed("ada"), failed("bob"), Child("cyd", 1, RunStatus.CANCELLED)]
    again = Batch(USERS, 9, round=2)

    assert plan_of(again, first).start == ("bob", "cyd", "dan")
    second = [*first, failed("bob", 2), completed("cyd", round=2), completed("dan", round=2)]
    assert plan_of(again, second) == Plan((), is_over=True)


@given(st.dictionaries(st.sampled_from(USERS), STATUSES), st.integers(1, 5), st.integers(1, 2))
def test_no_user_has_two_open_runs_and_there_are_never_too_many(
    statuses: dict[str, RunStatus], size: int, round: int
) -> None:
    children = [Child(user, 1, status) for user, status in statuses.items()]
    open_ = {child.user for child in children if child.status in ACTIVE}

    plan = plan_of(Batch(USERS, size, round), children)

    assert not open_ & set(plan.start)
    assert len(plan.start) <= max(0, size - len(open_))
    assert plan.is_over is (not plan.start and not open_)


def test_progress_counts_users_queries_proposals_and_says_who_failed() -> None:
    children = [completed("bob", proposed=3), failed("ada"), Child("cyd", 1, RunStatus.RUNNING)]

    progress = progress_of(Batch(USERS, 2), children)

    (error,) = progress.pop("errors")
    assert progress == {
        "users_total": 4,
        "users_processed": 2,
        "users_failed": 1,
        "queries_executed": 2,
        "queries_failed": 1,
        "enrichments_applied": 3,
        "partial": True,
    }
    assert (error["user"], error["code"], len(error["detail"])) == ("ada", "model_refused", 300)


def test_whoever_gets_another_run_is_not_done_yet_and_what_failed_before_is_forgiven() -> None:
    children = [completed("ada"), failed("bob")]

    assert progress_of(Batch(("ada", "bob"), 2, round=2), children)["users_processed"] == 1
    done = progress_of(Batch(("ada", "bob"), 2, round=2), [*children, completed("bob", round=2)])
    assert (done["users_processed"], done["errors"], done["partial"]) == (2, [], False)


def test_a_run_is_shown_its_own_user_and_no_other() -> None:
    batch = {"users": ["ada", "bob"], "size": 2}
    event = {"id": "1", "userid": "olga", "data": {"agent_key": "noter", "input": {"a": 1}, "batch": batch}}

    shown = event_for({"parent_id": "run_1", "user": "ada"}, event)

    assert shown == {"id": "1", "userid": "ada", "data": {"agent_key": "noter", "input": {"a": 1}}}
    assert event_for({"user": "olga"}, event) is event


def test_a_user_has_one_run_in_a_round() -> None:
    assert child_run_id("run_1", "ada", 1) == child_run_id("run_1", "ada", 1)
    assert len({child_run_id(*each) for each in (("run_1", "ada", 1), ("run_1", "ada", 2), ("run_2", "ada", 1))}) == 3
