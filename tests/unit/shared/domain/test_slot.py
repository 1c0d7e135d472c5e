"""Which slots a run needs, and when a slot with room is worth filling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.lanes import Lane
from shared.domain.decision import Target
from shared.domain.run import Waiting
from shared.domain.slot import (
    CRITICAL_RESERVE,
    LARGE,
    OwnLimits,
    QueueLimits,
    Slot,
    is_large,
    organisation_slot,
    paused_key,
    room_to_fill,
    slots_of,
)
from tests.unit.shared.given import IDENTIFIERS

TARGET = Target("doc", "plan")
OWN = OwnLimits(1, 2)


def needed(
    organisation: str = "acme",
    agent: str = "noter",
    target: Target = TARGET,
    lane: Lane = Lane.MEDIUM,
    own: OwnLimits = OWN,
    server: int = 4,
) -> tuple[Slot, ...]:
    return slots_of(organisation, agent, target, lane, own, QueueLimits(3, server))


def test_the_narrowest_slot_comes_first_and_each_has_its_limit() -> None:
    assert [(slot.kind, slot.limit - slot.reserve, slot.label) for slot in needed()] == [
        (Waiting.TARGET, 1, "noter on doc plan"),
        (Waiting.AGENT, 2, "noter of acme"),
        (Waiting.ORGANISATION, 3, "acme"),
        (Waiting.SERVER, 4, "all runners"),
    ]


def test_what_has_no_limit_needs_no_slot_but_the_organisations_turn() -> None:
    (only,) = needed(own=OwnLimits(), server=0)

    assert (only.kind, only.key) == (Waiting.ORGANISATION, organisation_slot("acme"))


@pytest.mark.parametrize(
    ("other", "shared"),
    [
        (needed(target=Target("doc", "other")), {Waiting.AGENT, Waiting.ORGANISATION, Waiting.SERVER}),
        (needed(target=Target("other", "plan")), {Waiting.AGENT, Waiting.ORGANISATION, Waiting.SERVER}),
        (needed(agent="reader"), {Waiting.ORGANISATION, Waiting.SERVER}),
        (needed(organisation="harbour"), {Waiting.SERVER}),
    ],
)
def test_a_slot_is_shared_by_exactly_those_whom_it_limits(other: tuple[Slot, ...], shared: set[Waiting]) -> None:
    keys = {slot.key: slot.kind for slot in needed()}

    assert {slot.kind for slot in other if slot.key in keys} == shared


@given(organisation=IDENTIFIERS, agent=IDENTIFIERS, type=IDENTIFIERS, id=IDENTIFIERS)
def test_no_two_kinds_of_slots_have_one_key_whatever_the_names(
    organisation: str, agent: str, type: str, id: str
) -> None:
    slots = needed(organisation, agent, Target(type, id))

    assert len({slot.key for slot in slots} | {paused_key(organisation, agent)}) == 5


def test_of_an_organisations_room_a_part_is_for_critical_runs_alone() -> None:
    rooms = {lane: needed(lane=lane, own=OwnLimits(), server=0)[0] for lane in Lane}

    assert len({slot.key for slot in rooms.values()}) == 1
    assert {slot.limit for slot in rooms.values()} == {3 + CRITICAL_RESERVE}
    assert {lane for lane, slot in rooms.items() if slot.reserve == 0} == {Lane.CRITICAL}


@pytest.mark.parametrize(
    ("limit", "holders", "room"),
    [(1, 1, 0), (1, 0, 1), (63, 62, 1), (64, 57, 0), (64, 56, 8), (512, 449, 0), (512, 448, 64), (2, 5, 0)],
)
def test_a_large_slot_is_filled_in_portions(limit: int, holders: int, room: int) -> None:
    assert room_to_fill(Waiting.AGENT, limit, holders) == room
    assert room_to_fill(Waiting.ORGANISATION, limit + CRITICAL_RESERVE, holders) == room


@pytest.mark.parametrize(("limit", "is_one"), [(LARGE - 1, False), (LARGE, True)])
def test_a_slot_is_large_by_the_room_that_every_run_may_use(limit: int, is_one: bool) -> None:
    assert is_large(Waiting.AGENT, limit) is is_one
    assert is_large(Waiting.ORGANISATION, limit + CRITICAL_RESERVE) is is_one


@given(limit=st.integers(1, 10_000), kind=st.sampled_from([Waiting.TARGET, Waiting.AGENT, Waiting.SERVER]))
def test_an_empty_slot_is_filled_whole(limit: int, kind: Waiting) -> None:
    assert room_to_fill(kind, limit, 0) == limit
