"""The servers that tests are given."""

import nats
import pytest
from pymongo import MongoClient

from tests.support.servers import RunningServer


@pytest.mark.parametrize("round_number", [1, 2])
async def test_each_test_finds_nats_without_streams(clean_nats: str, round_number: int) -> None:
    client = await nats.connect(clean_nats)
    jetstream = client.jetstream()

    before = await jetstream.streams_info()
    await jetstream.add_stream(name=f"ROUND_{round_number}", subjects=["round.>"])

    await client.close()
    assert before == []


@pytest.mark.parametrize("round_number", [1, 2])
def test_each_test_finds_an_empty_database(mongo_server: RunningServer, mongo_database: str, round_number: int) -> None:
    with MongoClient[dict[str, object]](mongo_server.url) as client:
        database = client[mongo_database]
        before = {name: database[name].count_documents({}) for name in database.list_collection_names()}
        database["documents"].insert_one({"round": round_number})

    assert {name: count for name, count in before.items() if count and not name.startswith("system.")} == {}


def test_the_database_server_has_a_primary_that_confirms_majority_writes(
    mongo_server: RunningServer, mongo_database: str
) -> None:
    with MongoClient[dict[str, object]](mongo_server.url, w="majority", journal=True) as client:
        assert client[mongo_database]["documents"].insert_one({}).acknowledged
