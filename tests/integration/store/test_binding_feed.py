"""A reader of bindings gets all of them once, and afterwards what is new."""

from datetime import timedelta

from contracts.agents import Scope
from shared.domain.binding import Binding, ScopeRef
from shared.store.binding_feed import BindingFeed
from shared.store.bindings import BindingStore
from shared.store.mongo import Mongo

LONG_AGO = timedelta(hours=1)


def of(user: str, *, enabled: bool = False) -> Binding:
    return Binding("acme", ScopeRef(Scope.USER, user), "noter", enabled=enabled)


async def long_ago(mongo: Mongo, *users: str) -> None:
    """Have the bindings of these users be an hour old."""
    collection = mongo.database["bindings"]
    for user in users:
        stored = await collection.find_one({"scope_id": user})
        assert stored is not None
        await collection.update_one({"_id": stored["_id"]}, {"$set": {"changed_at": stored["changed_at"] - LONG_AGO}})


async def test_all_come_at_first_and_then_those_that_were_changed(mongo: Mongo) -> None:
    bindings, feed = BindingStore(mongo.database), BindingFeed(mongo.database)
    for user in ("ada", "bob", "cy"):
        await bindings.put(of(user))
    await long_ago(mongo, "ada", "bob")

    first = await feed.changed()
    await bindings.put(of("bob", enabled=True))
    second = await feed.changed()

    assert sorted(binding.at.id for binding in first) == ["ada", "bob", "cy"]
    # What was written a moment before comes again, since a write may be seen later than one that began after it.
    assert sorted(second, key=lambda binding: binding.at.id) == [of("bob", enabled=True), of("cy")]


async def test_a_write_that_is_seen_late_is_not_missed(mongo: Mongo) -> None:
    bindings, feed = BindingStore(mongo.database), BindingFeed(mongo.database)
    await bindings.put(of("ada"))
    await feed.changed()

    await bindings.put(of("bob"))
    late = await mongo.database["bindings"].find_one({"scope_id": "bob"})
    assert late is not None
    seconds_before = late["changed_at"] - timedelta(seconds=5)
    await mongo.database["bindings"].update_one({"_id": late["_id"]}, {"$set": {"changed_at": seconds_before}})

    assert of("bob") in await feed.changed()


async def test_bindings_of_an_older_version_have_no_time_and_come_with_all(mongo: Mongo) -> None:
    bindings, feed = BindingStore(mongo.database), BindingFeed(mongo.database)
    await bindings.put(of("ada"))
    await mongo.database["bindings"].update_many({}, {"$unset": {"changed_at": ""}})

    assert await feed.changed() == [of("ada")]
    await bindings.put(of("bob"))
    assert of("bob") in await feed.changed()
    assert await feed.all() == [of("ada"), of("bob")]
