"""Memory blocks and their history."""

import pytest

from contracts.agents import MemoryOwner
from shared.domain.memory import Owner, block_id
from shared.store.memory import Author, MemoryBlock, MemoryStore
from shared.store.mongo import Mongo
from shared.store.transaction import Transaction
from tests.unit.shared.given import LATER, NOW

ADA, APOLLO = Owner(MemoryOwner.USER, "ada"), Owner(MemoryOwner.PROJECT, "apollo")
AUTHOR = Author("olga", "noter", "run_1", "prp_1")


async def write(mongo: Mongo, owner: Owner, label: str, fields: dict[str, str], organisation: str = "acme") -> int:
    memory = MemoryStore(mongo.database)

    def work(within: Transaction) -> int:
        return memory.write(within, memory.block(within, organisation, owner, label), fields, AUTHOR, NOW)

    return await mongo.transaction(work)


async def test_a_block_that_nobody_has_written_is_empty_at_version_0(mongo: Mongo) -> None:
    memory = MemoryStore(mongo.database)

    block = await mongo.transaction(lambda within: memory.block(within, "acme", ADA, "notes"))

    assert block == MemoryBlock("acme", ADA, "notes", {}, 0)


async def test_every_version_is_kept_with_its_author(mongo: Mongo) -> None:
    assert [await write(mongo, ADA, "notes", {"tea": kind}) for kind in ("green", "black")] == [1, 2]

    (block,) = await MemoryStore(mongo.database).of_owners("acme", [ADA])
    history = [each async for each in mongo.database["memory_versions"].find({"block_id": block.id}).sort("version")]
    assert block == MemoryBlock("acme", ADA, "notes", {"tea": "black"}, 2, NOW, "olga")
    assert [(each["version"], each["fields"]) for each in history] == [(1, {"tea": "green"}), (2, {"tea": "black"})]
    assert history[0]["author"] == {"user": "olga", "agent_key": "noter", "run_id": "run_1", "proposal_id": "prp_1"}


async def test_blocks_are_found_by_owner_and_label_in_the_order_of_their_labels(mongo: Mongo) -> None:
    for owner, label in [(ADA, "zoo"), (ADA, "art"), (APOLLO, "map"), (Owner(MemoryOwner.USER, "bob"), "art")]:
        await write(mongo, owner, label, {"a": "b"})
    memory = MemoryStore(mongo.database)

    assert [block.label for block in await memory.of_owners("acme", [ADA, APOLLO])] == ["art", "map", "zoo"]
    assert [block.owner for block in await memory.of_owners("acme", [ADA, APOLLO], "map")] == [APOLLO]
    assert await memory.of_owners("acme", []) == []


async def test_memory_of_another_organisation_is_never_found_even_for_equal_ids(mongo: Mongo) -> None:
    await write(mongo, ADA, "notes", {"secret": "yes"}, organisation="other")

    assert await MemoryStore(mongo.database).of_owners("acme", [ADA, APOLLO]) == []


async def test_a_project_and_a_user_of_the_same_name_have_memories_of_their_own(mongo: Mongo) -> None:
    await write(mongo, Owner(MemoryOwner.PROJECT, "ada"), "notes", {"of": "project"})
    await write(mongo, ADA, "notes", {"of": "user"})

    assert [block.fields for block in await MemoryStore(mongo.database).of_owners("acme", [ADA])] == [{"of": "user"}]


async def test_what_a_transaction_wrote_and_did_not_commit_was_never_there(mongo: Mongo) -> None:
    memory = MemoryStore(mongo.database)

    def work(within: Transaction) -> None:
        memory.write(within, memory.block(within, "acme", ADA, "notes"), {"tea": "green"}, AUTHOR, LATER)
        raise LookupError

    with pytest.raises(LookupError):
        await mongo.transaction(work)

    assert await memory.of_owners("acme", [ADA]) == []
    assert await mongo.database["memory_versions"].count_documents({"block_id": block_id("acme", ADA, "notes")}) == 0
