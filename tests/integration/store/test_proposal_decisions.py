"""What people do with proposals besides approving and rejecting them as they are."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.errors import NotFound
from shared.store.memory_changes import Edit, ProposalStale, UndoConflict
from shared.store.mongo import Mongo
from shared.store.proposals import NotEditable, NotUndoable, ProposalDecided, ProposalExpired, ProposalStore
from tests.integration.store.proposing import BLOCK, DECIDING, history_of, made, proposed, text_of
from tests.unit.shared.given import LATER, NOW, a_ticket_effect

TEA = "I like tea."
SECOND = timedelta(seconds=1)


async def a_block_that_says(mongo: Mongo, text: str) -> None:
    await ProposalStore(mongo).approve(await proposed(mongo, 0, proposed_value=text), DECIDING)


async def test_a_diff_on_an_older_text_is_made_again_on_the_newer_one(mongo: Mongo) -> None:
    await a_block_that_says(mongo, TEA)
    green, love = [
        await proposed(mongo, number, agent=agent, base_version=1, current_value=TEA, proposed_value=text)
        for number, agent, text in [(1, "one", "I like green tea."), (2, "two", "I love tea.")]
    ]
    store = ProposalStore(mongo)

    fresh = await store.approve(green, DECIDING)
    rebased = await store.approve(love, DECIDING)

    assert (fresh["rebased_from"], rebased["rebased_from"], rebased["applied_version"]) == (None, 1, 3)
    assert rebased["applied_value"] == "I love tea."
    assert await text_of(mongo) == "I love green tea."


async def test_an_edited_text_is_applied_and_its_editor_is_kept(mongo: Mongo) -> None:
    id_ = await proposed(mongo, 1)
    store = ProposalStore(mongo)

    approved = await store.approve(id_, DECIDING, Edit("afternoons"))
    again = await store.approve(id_, DECIDING, Edit("afternoons"))

    assert (approved["applied_value"], approved["edited_by"], approved["applied_by"]) == ("afternoons", "ada", "ada")
    assert approved["change"]["proposed_value"] == "mornings"
    assert (again, await store.get({"_id": id_})) == (approved, approved)
    assert await text_of(mongo) == "afternoons"
    with pytest.raises(ProposalDecided, match="another text"):
        await store.approve(id_, DECIDING, Edit("never"))


async def test_a_stale_proposal_is_approved_with_a_text_made_of_both(mongo: Mongo) -> None:
    await a_block_that_says(mongo, TEA)
    stale = await proposed(mongo, 1, agent="other", proposed_value="I like milk.")
    store = ProposalStore(mongo)
    with pytest.raises(ProposalStale) as raised:
        await store.approve(stale, DECIDING)

    approved = await store.approve(stale, DECIDING, Edit("I like tea with milk.", raised.value.facts["version"]))

    assert (approved["applied_version"], approved["rebased_from"]) == (2, None)
    assert await text_of(mongo) == "I like tea with milk."
    with pytest.raises(NotFound, match="no version 9"):
        await store.approve(await proposed(mongo, 2), DECIDING, Edit("x", 9))


async def test_undoing_takes_back_one_change_and_leaves_the_later_ones(mongo: Mongo) -> None:
    ids = [await proposed(mongo, n, operation="append", proposed_value=text) for n, text in enumerate(["a", "b", "c"])]
    store = ProposalStore(mongo)
    for id_ in ids:
        await store.approve(id_, DECIDING)

    undone = await store.undo(ids[1], replace(DECIDING, user="olga", reason="Not any more."))
    again = await store.undo(ids[1], DECIDING)

    assert (undone["status"], undone["undone_version"], undone["undone_by"]) == ("approved", 4, "olga")
    assert again == undone == await store.get({"_id": ids[1]})
    assert await text_of(mongo) == "a\nc"
    latest = (await history_of(mongo))[-1]
    assert (latest["action"], latest["reason"], latest["undone_proposal_id"]) == ("undone", "Not any more.", ids[1])
    assert latest["author"] == {"user": "olga", "agent_key": None, "run_id": None, "proposal_id": None}


async def test_undoing_the_first_change_leaves_no_field(mongo: Mongo) -> None:
    id_ = await proposed(mongo, 1)
    store = ProposalStore(mongo)
    await store.approve(id_, DECIDING)

    await store.undo(id_, DECIDING)

    assert await text_of(mongo) is None


async def test_what_was_changed_again_since_is_not_undone(mongo: Mongo) -> None:
    first = await proposed(mongo, 1)
    second = await proposed(mongo, 2, current_value="mornings", proposed_value="evenings", base_version=1)
    store = ProposalStore(mongo)
    for id_ in (first, second):
        await mongo.database["proposals"].update_one({"_id": id_}, {"$set": {"status": "pending"}})
        await store.approve(id_, DECIDING)

    with pytest.raises(UndoConflict) as raised:
        await store.undo(first, DECIDING)

    assert raised.value.facts == {"base": "mornings", "current": "evenings", "proposed": "", "version": 2}
    assert await text_of(mongo) == "evenings"


async def test_only_an_approved_memory_diff_can_be_edited_or_undone(mongo: Mongo) -> None:
    store, pending = ProposalStore(mongo), await proposed(mongo, 1)
    ticket = made(2) | {"kind": "ticket_change", "change": a_ticket_effect()["change"]}
    await store.project([ticket])

    with pytest.raises(ProposalDecided, match="pending"):
        await store.undo(pending, DECIDING)
    with pytest.raises(NotEditable):
        await store.approve(ticket["_id"], DECIDING, Edit("x"))
    await store.approve(ticket["_id"], DECIDING)
    with pytest.raises(NotUndoable):
        await store.undo(ticket["_id"], DECIDING)


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2), (2, 3, 1, 2)])
async def test_newer_proposals_supersede_older_ones_in_whatever_order_they_come(
    mongo: Mongo, order: tuple[int, ...]
) -> None:
    others = [
        await proposed(mongo, 1, agent="other"),
        await proposed(mongo, 0, field="tea"),
        await proposed(mongo, 0, owner={"type": "project", "id": "ada"}, agent="third"),
    ]
    await proposed(mongo, 9, owner={"type": "user", "id": "ada"}, agent="third")

    for number in order:
        await proposed(mongo, number, proposed_value=str(number))

    store = ProposalStore(mongo)
    noters = {each["change"]["proposed_value"]: each for each in await store.find({"agent_key": "noter"}, 10)}
    assert {text: each["status"] for text, each in noters.items() if text.isdigit()} == {
        "1": "superseded",
        "2": "superseded",
        "3": "pending",
    }
    assert noters["2"]["superseded_by"] == noters["3"]["_id"]
    assert [(await store.get({"_id": id_}))["status"] for id_ in others] == ["pending"] * 3
    with pytest.raises(ProposalDecided, match=f"superseded since .* by proposal {noters['3']['_id']}"):
        await store.approve(noters["2"]["_id"], DECIDING)


async def test_what_was_decided_is_not_superseded_any_more(mongo: Mongo) -> None:
    older, store = await proposed(mongo, 1), ProposalStore(mongo)
    await store.approve(older, DECIDING)

    await proposed(mongo, 2)

    assert (await store.get({"_id": older}))["status"] == "approved"


async def test_what_nobody_decides_expires(mongo: Mongo) -> None:
    store = ProposalStore(mongo, kept_for=60 * SECOND)
    first, second, rejected = made(1), made(2, field="tea"), made(1, field="milk", agent="other")
    await store.project([first, second, rejected])
    await store.reject(rejected["_id"], DECIDING)

    assert await store.expire(LATER + 61 * SECOND, 10) == 1
    assert await store.expire(LATER + 61 * SECOND, 10) == 0

    expired = await store.get({"_id": first["_id"]})
    assert (expired["status"], expired["decided_at"], expired["decided_by"]) == ("expired", LATER + 61 * SECOND, None)
    assert (await store.get({"_id": second["_id"]}))["expires_at"] == LATER + 62 * SECOND
    for id_, now in [(first["_id"], NOW), (second["_id"], LATER + 62 * SECOND)]:
        with pytest.raises(ProposalExpired):
            await store.approve(id_, replace(DECIDING, at=now))
    assert await mongo.database["memory_versions"].count_documents({"block_id": BLOCK}) == 0
