"""Members: what events told of them, in whatever order and however often."""

import asyncio
from datetime import timedelta
from itertools import permutations

import pytest

from shared.store.members import Member, MembershipChange, MemberStore
from shared.store.mongo import Mongo
from tests.unit.shared.given import NOW

ADA = Member("acme", "apollo", "ada", "Europe/Berlin")
JOINED = MembershipChange(ADA, is_member=True, at=NOW)
LEFT = MembershipChange(Member("acme", "apollo", "ada"), is_member=False, at=NOW + timedelta(hours=1))
REJOINED = MembershipChange(
    Member("acme", "apollo", "ada", "America/New_York"), is_member=True, at=NOW + timedelta(hours=2)
)


async def test_who_joined_is_a_member_and_who_left_is_none(mongo: Mongo) -> None:
    members = MemberStore(mongo.database)

    await members.apply([JOINED])
    assert await members.present() == [ADA]
    assert await members.is_member("acme", "apollo", "ada")

    await members.apply([LEFT])
    assert await members.present() == []
    assert not await members.is_member("acme", "apollo", "ada")


@pytest.mark.parametrize("order", list(permutations([JOINED, LEFT, REJOINED])))
@pytest.mark.parametrize("times", [1, 2])
async def test_the_latest_change_stands_in_whatever_order_they_come(
    mongo: Mongo, order: tuple[MembershipChange, ...], times: int
) -> None:
    members = MemberStore(mongo.database)

    for change in order * times:
        await members.apply([change])

    assert await members.present() == [REJOINED.member]


async def test_several_changes_of_one_member_may_come_in_one_batch(mongo: Mongo) -> None:
    members = MemberStore(mongo.database)

    await members.apply([LEFT, JOINED, LEFT])
    await members.apply([])

    assert await members.present() == []


async def test_changes_at_once_leave_the_latest(mongo: Mongo) -> None:
    members = MemberStore(mongo.database)

    await asyncio.gather(*(members.apply([change]) for change in (JOINED, LEFT, REJOINED) * 4))

    assert await members.present() == [REJOINED.member]


async def test_membership_is_of_one_project_in_one_organisation(mongo: Mongo) -> None:
    members = MemberStore(mongo.database)
    await members.apply([JOINED])

    assert not await members.is_member("other", "apollo", "ada")
    assert not await members.is_member("acme", "gemini", "ada")
    assert not await members.is_member("acme", "apollo", "bob")


@pytest.mark.parametrize("odd", ["$user", "$$ROOT", "a.b", "ada\u200d"])
async def test_ids_are_kept_to_the_letter(mongo: Mongo, odd: str) -> None:
    members = MemberStore(mongo.database)
    member = Member(odd, odd, odd)

    await members.apply([MembershipChange(member, is_member=True, at=NOW)])

    assert await members.present() == [member]
