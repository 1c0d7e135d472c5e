"""Proposals: decided once, applied in the same moment, and never over newer text."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from pymongo.errors import DuplicateKeyError

from contracts.agents import MemoryOwner
from contracts.ids import event_key
from shared.domain.memory import Owner
from shared.domain.projection import proposals_of
from shared.domain.proposal_event import SOURCE, approved_event
from shared.domain.run import RunStatus
from shared.errors import NotFound
from shared.store.deciding import Deciding
from shared.store.events import SWEEP_AFTER, EventStore
from shared.store.memory import MemoryBlock, MemoryStore
from shared.store.memory_changes import ProposalStale
from shared.store.mongo import Mongo
from shared.store.proposals import ProposalDecided, ProposalStore
from tests.unit.shared.given import (
    LATER,
    NOW,
    Document,
    a_memory_effect,
    a_new_run,
    a_stored_run,
    a_ticket_effect,
)

ADA = Owner(MemoryOwner.USER, "ada")
DECIDING = Deciding("ada", LATER, "Right.")


async def proposed(mongo: Mongo, *effects: Document, run_id: str = "run_1") -> list[str]:
    """Propose what a run asks for; return the ids of the proposals."""
    run = a_stored_run(RunStatus.COMPLETED, a_new_run(run_id), effects=list(effects))
    proposals = proposals_of(run)
    await ProposalStore(mongo).project(proposals)
    return [proposal["_id"] for proposal in proposals]


def diff(index: int = 0, **changes: Any) -> Document:
    return a_memory_effect(index, **changes)


async def block(mongo: Mongo) -> MemoryBlock | None:
    blocks = await MemoryStore(mongo.database).of_owners("acme", [ADA])
    return blocks[0] if blocks else None


async def fields(mongo: Mongo) -> dict[str, str]:
    found = await block(mongo)
    return {} if found is None else found.fields


async def versions(mongo: Mongo) -> list[int]:
    return [each["version"] async for each in mongo.database["memory_versions"].find({}).sort("version")]


async def test_projecting_again_changes_nothing(mongo: Mongo) -> None:
    (id_,) = await proposed(mongo, diff())
    store = ProposalStore(mongo)
    await store.reject(id_, DECIDING)

    await proposed(mongo, diff())
    await store.project([])

    assert (await store.get({"_id": id_}))["status"] == "rejected"
    assert len(await store.find({}, 10)) == 1


async def test_approving_a_memory_diff_writes_the_next_version_of_its_block(mongo: Mongo) -> None:
    (id_,) = await proposed(mongo, diff())

    approved = await ProposalStore(mongo).approve(id_, DECIDING)

    assert (approved["status"], approved["decided_by"], approved["decided_at"]) == ("approved", "ada", LATER)
    assert (approved["decision_reason"], approved["applied_version"]) == ("Right.", 1)
    assert await ProposalStore(mongo).get({"_id": id_}) == approved
    found = await block(mongo)
    assert found == MemoryBlock("acme", ADA, "preferences", {"reviews": "mornings"}, 1, LATER, "ada")
    history = await mongo.database["memory_versions"].find_one({})
    assert history is not None
    assert history["author"] == {"user": "ada", "agent_key": "noter", "run_id": "run_1", "proposal_id": id_}


async def test_approving_another_kind_is_a_decision_alone(mongo: Mongo) -> None:
    (id_,) = await proposed(mongo, a_ticket_effect())

    approved = await ProposalStore(mongo).approve(id_, DECIDING)

    assert (approved["status"], approved["applied_version"]) == ("approved", None)
    assert await block(mongo) is None


async def test_however_often_a_change_outside_memory_is_approved_its_event_is_stored_once(mongo: Mongo) -> None:
    (told, untold) = await proposed(mongo, a_ticket_effect(0), diff(1))
    store = ProposalStore(mongo)

    await asyncio.gather(*(store.approve(told, DECIDING) for _ in range(5)), store.approve(untold, DECIDING))

    events = await EventStore(mongo.database).recent({"organisation": "acme"}, 10)
    assert [(event["type"], event["id"]) for event in events] == [("proposal.approved", f"{told}:approved")]
    assert [event["_id"] for event in await EventStore(mongo.database).due_for_sweep(LATER + SWEEP_AFTER, 10)] == [
        approved_event(await store.get({"_id": told})).key
    ]


async def test_an_approval_whose_event_cannot_be_stored_is_none(mongo: Mongo) -> None:
    (id_,) = await proposed(mongo, a_ticket_effect())
    store = ProposalStore(mongo)
    await mongo.database["events"].insert_one({"_id": event_key("acme", SOURCE, f"{id_}:approved")})

    with pytest.raises(DuplicateKeyError):
        await store.approve(id_, DECIDING)

    assert (await store.get({"_id": id_}))["status"] == "pending"


async def test_rejecting_changes_no_memory(mongo: Mongo) -> None:
    (id_,) = await proposed(mongo, diff())

    rejected = await ProposalStore(mongo).reject(id_, DECIDING)

    assert (rejected["status"], rejected["decided_by"], rejected["decision_reason"]) == ("rejected", "ada", "Right.")
    assert await block(mongo) is None


@pytest.mark.parametrize("decide", ["approve", "reject"])
async def test_deciding_the_same_again_is_the_same_answer(mongo: Mongo, decide: str) -> None:
    (id_,) = await proposed(mongo, diff())
    decided = getattr(ProposalStore(mongo), decide)

    first = await decided(id_, DECIDING)
    again = await decided(id_, replace(DECIDING, user="olga", reason="Me too."))

    assert again == first
    assert await versions(mongo) == ([1] if decide == "approve" else [])


@pytest.mark.parametrize(("first", "then"), [("approve", "reject"), ("reject", "approve")])
async def test_a_decision_is_not_turned_round(mongo: Mongo, first: str, then: str) -> None:
    (id_,) = await proposed(mongo, diff())
    store = ProposalStore(mongo)
    await getattr(store, first)(id_, DECIDING)
    before = await store.get({"_id": id_})

    with pytest.raises(ProposalDecided, match="by ada"):
        await getattr(store, then)(id_, replace(DECIDING, user="olga"))

    assert await store.get({"_id": id_}) == before


async def test_approved_by_many_at_once_it_is_applied_once(mongo: Mongo) -> None:
    (id_,) = await proposed(mongo, diff(operation="append"))
    store = ProposalStore(mongo)

    answers = await asyncio.gather(*(store.approve(id_, replace(DECIDING, user=f"user-{n}")) for n in range(8)))

    assert all(answer == answers[0] for answer in answers)
    assert await versions(mongo) == [1]
    assert await fields(mongo) == {"reviews": "mornings"}


async def test_approved_and_rejected_at_once_one_decision_stands(mongo: Mongo) -> None:
    store = ProposalStore(mongo)
    for number in range(6):
        (id_,) = await proposed(mongo, diff(operation="append", proposed_value=str(number)), run_id=f"run_{number}")

        outcomes = await asyncio.gather(
            store.approve(id_, DECIDING), store.reject(id_, DECIDING), return_exceptions=True
        )

        assert sum(isinstance(outcome, ProposalDecided) for outcome in outcomes) == 1
        is_approved = (await store.get({"_id": id_}))["status"] == "approved"
        assert (str(number) in (await fields(mongo)).get("reviews", "").splitlines()) == is_approved


async def test_proposals_for_one_block_approved_at_once_are_all_in_it(mongo: Mongo) -> None:
    ids = await proposed(
        mongo, *(diff(number, field=f"field_{number}", proposed_value=str(number)) for number in range(6))
    )

    approved = await asyncio.gather(*(ProposalStore(mongo).approve(id_, DECIDING) for id_ in ids))

    assert sorted(each["applied_version"] for each in approved) == await versions(mongo) == [1, 2, 3, 4, 5, 6]
    assert await fields(mongo) == {f"field_{number}": str(number) for number in range(6)}


@pytest.mark.parametrize("operation", ["replace", "llm_diff"])
async def test_a_stale_diff_is_never_applied_over_newer_text(mongo: Mongo, operation: str) -> None:
    older, newer = await proposed(
        mongo, diff(0, operation=operation, proposed_value="evenings"), diff(1, proposed_value="mornings")
    )
    store = ProposalStore(mongo)
    await store.approve(newer, DECIDING)

    with pytest.raises(ProposalStale, match="Field 'reviews' of block 'preferences' was changed") as raised:
        await store.approve(older, DECIDING)

    assert raised.value.facts == {"base": "", "current": "mornings", "proposed": "evenings", "version": 1}
    assert await fields(mongo) == {"reviews": "mornings"}
    assert (await store.get({"_id": older}))["status"] == "pending"
    assert (await store.reject(older, DECIDING))["status"] == "rejected"


async def test_a_change_of_another_field_makes_a_diff_no_less_fresh(mongo: Mongo) -> None:
    first, second = await proposed(mongo, diff(0), diff(1, field="tea", proposed_value="green"))
    store = ProposalStore(mongo)

    await store.approve(first, DECIDING)
    approved = await store.approve(second, DECIDING)

    assert approved["applied_version"] == 2
    assert await fields(mongo) == {"reviews": "mornings", "tea": "green"}


async def test_an_append_is_put_behind_whatever_is_there_by_then(mongo: Mongo) -> None:
    replacing, appending, repeating = await proposed(
        mongo,
        diff(0, proposed_value="mornings"),
        diff(1, operation="append", proposed_value="never on Fridays"),
        diff(2, operation="append", proposed_value="mornings"),
    )
    store = ProposalStore(mongo)

    for id_ in (replacing, appending, repeating):
        await store.approve(id_, DECIDING)

    assert await fields(mongo) == {"reviews": "mornings\nnever on Fridays"}


@pytest.mark.parametrize("decide", ["approve", "reject"])
async def test_a_proposal_that_is_not_there_is_not_found(mongo: Mongo, decide: str) -> None:
    with pytest.raises(NotFound):
        await getattr(ProposalStore(mongo), decide)("prp_unknown", DECIDING)


async def test_the_newest_proposals_come_first(mongo: Mongo) -> None:
    for number in (1, 3, 2):
        run = a_stored_run(RunStatus.COMPLETED, a_new_run(f"run_{number}"), finished_at=NOW.replace(minute=number))
        await ProposalStore(mongo).project(proposals_of(run))

    found = await ProposalStore(mongo).find({"organisation": "acme", "user": "ada"}, 2)

    assert [proposal["run_id"] for proposal in found] == ["run_3", "run_2"]
