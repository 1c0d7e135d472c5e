"""A reader of bindings gets all of them once, and afterwards what is new."""

from datetime import timedelta

from contracts.agents import Scope
from shared.domain.binding import Binding, ScopeRef
from shared.store.binding_feed import BindingFeed
from shared.store.bindings import BindingStore
from shared.store.mongo import Mongo


def of(user: str, *, enabled: bool = False) -> Binding:
    return Binding("acme", ScopeRef(Scope.USER, user), "noter", enabled=enabled)


def named(bindings: list[Binding]) -> list[tuple[str, bool | None]]:
    return sorted((binding.at.id, binding.enabled) for binding in bindings)


async def changed_earlier(mongo: Mongo, by: timedelta, *users: str) -> None:
    """Have the bindings of these users be so much older."""
    for user in users:
        stored = await mongo.database["bindings"].find_one({"scope_id": user})
        assert stored is not None
        earlier = {"$set": {"changed_at": stored["changed_at"] - by}}
        await mongo.database["bindings"].update_one({"_id": stored["_id"]}, earlier)


async def test_all_come_at_first_and_then_those_that_were_changed(mongo: Mongo) -> None:
    bindings, feed = BindingStore(mongo.database), BindingFeed(mongo.database)
    for user in ("ada", "bob", "cy"):
        await bindings.put(of(user))
    await changed_earlier(mongo, timedelta(hours=1), "ada", "bob")

    first = await feed.changed()
    await bindings.put(of("bob", enabled=True))
    second = await feed.changed()

    assert named(first) == [("ada", False), ("bob", False), ("cy", False)]
    assert ("bob", True) in named(second)
    assert ("ada", False) not in named(second)


async def test_a_write_that_is_seen_a_little_late_is_not_missed(mongo: Mongo) -> None:
    bindings, feed = BindingStore(mongo.database), BindingFeed(mongo.database)
    await feed.changed()

    await bindings.put(of("bob"))
    await changed_earlier(mongo, timedelta(seconds=1), "bob")

    assert named(await feed.changed()) == [("bob", False)]


async def test_bindings_of_an_older_version_have_no_time_and_come_with_all(mongo: Mongo) -> None:
    bindings, feed = BindingStore(mongo.database), BindingFeed(mongo.database)
    await bindings.put(of("ada"))
    await mongo.database["bindings"].update_many({}, {"$unset": {"changed_at": ""}})

    assert named(await feed.changed()) == [("ada", False)]
    await bindings.put(of("bob"))
    assert named(await feed.changed()) == [("bob", False)]
    assert named(await feed.all()) == [("ada", False), ("bob", False)]
