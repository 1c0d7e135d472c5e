"""Bodies that are too large for the document they belong to."""

import random

import pytest

from shared.errors import NotFound
from shared.store.bodies import BodyStore
from shared.store.mongo import Mongo


async def test_a_body_is_read_as_it_was_kept(mongo: Mongo) -> None:
    bodies = BodyStore(mongo.database)

    reference = await bodies.put("run_1", "output", '{"text":"Grüße"}')

    assert await bodies.get(reference) == '{"text":"Grüße"}'


async def test_a_body_larger_than_a_document_may_be_is_kept_in_parts(mongo: Mongo) -> None:
    bodies = BodyStore(mongo.database)
    # Nothing that compression could make small; 16 MiB is the most that a document takes.
    large = random.Random(0).randbytes(9_000_000).hex()

    reference = await bodies.put("run_1", "output", large)

    assert await bodies.get(reference) == large
    assert await mongo.database["bodies"].count_documents({"run_id": "run_1"}) == 2


async def test_keeping_the_same_body_again_changes_nothing(mongo: Mongo) -> None:
    bodies = BodyStore(mongo.database)

    references = [await bodies.put("run_1", "output", '{"a":1}') for _ in range(2)]

    assert references[0] == references[1]
    assert await mongo.database["bodies"].count_documents({}) == 1


async def test_bodies_of_one_name_do_not_replace_each_other(mongo: Mongo) -> None:
    bodies = BodyStore(mongo.database)

    first, second = [await bodies.put("run_1", "output", json) for json in ('{"a":1}', '{"a":2}')]

    assert [await bodies.get(first), await bodies.get(second)] == ['{"a":1}', '{"a":2}']


async def test_a_body_of_which_a_part_is_missing_is_not_taken_for_whole(mongo: Mongo) -> None:
    bodies = BodyStore(mongo.database)
    reference = await bodies.put("run_1", "output", random.Random(0).randbytes(9_000_000).hex())
    await mongo.database["bodies"].delete_one({"part": 1})

    with pytest.raises(NotFound, match="not stored any more, or not as a whole"):
        await bodies.get(reference)
