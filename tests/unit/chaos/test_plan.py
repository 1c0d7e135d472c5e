from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.chaos.plan import META_LEADER, PRIMARY, SECONDS, TO_MONGODB, TO_NATS, Action, plan_faults, targets

RUNNERS = ("runner-1", "runner-2")
LONG_SECONDS = 600.0

any_speed = settings(deadline=None)
seeds = st.integers(0, 2**32)
lengths = st.floats(1, 1_200)
clusters = st.sampled_from([1, 3])


@any_speed
@given(seeds, lengths, clusters)
def test_the_same_seed_gives_the_same_plan(seed: int, seconds: float, cluster: int) -> None:
    first, second = (plan_faults(seed, seconds, targets(RUNNERS, cluster)) for _ in range(2))

    assert first == second


def test_another_seed_gives_another_plan() -> None:
    among = targets(RUNNERS, 1)

    assert plan_faults(1, LONG_SECONDS, among) != plan_faults(2, LONG_SECONDS, among)


@any_speed
@given(seeds, lengths, clusters)
def test_every_fault_begins_and_is_undone_within_the_time_given(seed: int, seconds: float, cluster: int) -> None:
    plan = plan_faults(seed, seconds, targets(RUNNERS, cluster))

    assert all(fault.at_second >= 0 and fault.ends_at <= seconds for fault in plan)
    assert plan == sorted(plan, key=lambda fault: fault.at_second)


@any_speed
@given(seeds, clusters)
def test_a_fault_lasts_no_longer_than_its_action_may(seed: int, cluster: int) -> None:
    for fault in plan_faults(seed, LONG_SECONDS, targets(RUNNERS, cluster)):
        shortest, longest = SECONDS[fault.action]

        assert shortest <= fault.seconds <= longest


@any_speed
@given(seeds, clusters)
def test_of_a_group_one_is_broken_at_a_time(seed: int, cluster: int) -> None:
    plan = plan_faults(seed, LONG_SECONDS, targets(RUNNERS, cluster))

    for group in {fault.group for fault in plan}:
        of_group = [fault for fault in plan if fault.group == group]
        assert all(earlier.ends_at <= later.at_second for earlier, later in pairwise(of_group))


@any_speed
@given(seeds, clusters)
def test_a_target_meets_only_what_can_happen_to_it(seed: int, cluster: int) -> None:
    among = targets(RUNNERS, cluster)
    possible = {(target.name, action) for target in among for action in target.actions}

    assert {(fault.target, fault.action) for fault in plan_faults(seed, LONG_SECONDS, among)} <= possible


@pytest.mark.parametrize("cluster", [1, 3])
@any_speed
@given(seed=seeds)
def test_ten_minutes_break_everything_that_can_be_broken(seed: int, cluster: int) -> None:
    among = targets(RUNNERS, cluster)
    possible = {(target.name, action) for target in among for action in target.actions}

    assert {(fault.target, fault.action) for fault in plan_faults(seed, LONG_SECONDS, among)} == possible


def test_a_lone_server_can_be_wiped_and_cut_off() -> None:
    actions = {target.name: target.actions for target in targets(RUNNERS, 1)}

    assert Action.WIPE in actions["nats"]
    assert Action.CUT in actions[TO_NATS]
    assert Action.CUT in actions[TO_MONGODB]
    assert {"gateway", "gating", "scheduler", *RUNNERS, "mongod"} <= actions.keys()


def test_of_clusters_the_leaders_are_broken_too() -> None:
    actions = {target.name: target.actions for target in targets(RUNNERS, 3)}

    assert Action.KILL in actions[META_LEADER]
    assert Action.KILL in actions[PRIMARY]
    assert {"nats-1", "nats-2", "nats-3", "mongod-1", "mongod-2", "mongod-3"} <= actions.keys()
