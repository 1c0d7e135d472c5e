"""Slots in the database: never more holders than the limit, whoever comes at once and however often."""

import asyncio
import random

import pytest
from pymongo.errors import AutoReconnect

from shared.domain.run import Waiting
from shared.domain.slot import Slot
from shared.store.mongo import Mongo
from shared.store.slots import Held, SlotStore
from tests.unit.shared.given import Document

SLOT = Slot("slot_1", Waiting.AGENT, "noter of acme", 3)


async def stored(mongo: Mongo, key: str = "slot_1") -> Document:
    slot: Document | None = await mongo.database["slots"].find_one({"_id": key})
    assert slot is not None
    return slot


async def test_places_are_given_first_come_first_served(mongo: Mongo) -> None:
    slots = SlotStore(mongo.database)

    first = await slots.take(SLOT, ["run_1", "run_2"])
    second = await slots.take(SLOT, ["run_3", "run_4"])

    assert first == Held("slot_1", Waiting.AGENT, 3, ("run_1", "run_2"))
    assert second.holders == ("run_1", "run_2", "run_3")
    assert await slots.load(["slot_1", "slot_2"]) == {"slot_1": second}


async def test_a_slot_is_wanted_once_somebody_was_left_out(mongo: Mongo) -> None:
    slots = SlotStore(mongo.database)

    await slots.take(SLOT, ["run_1", "run_2", "run_3"])
    when_full = await slots.wanted()
    await slots.take(SLOT, ["run_4"])
    when_left_out = await slots.wanted()
    await slots.take(SLOT, ["run_1"])

    assert (when_full, when_left_out, await slots.wanted()) == ([], ["slot_1"], ["slot_1"])


async def test_taking_again_changes_nothing(mongo: Mongo) -> None:
    slots = SlotStore(mongo.database)
    await slots.take(SLOT, ["run_1", "run_2", "run_3"])
    before = await stored(mongo)

    again = await slots.take(SLOT, ["run_3", "run_1"])

    assert (again.holders, await stored(mongo)) == (("run_1", "run_2", "run_3"), before)


class FirstAnswerLost:
    """A database whose connection breaks after it has done its first command."""

    def __init__(self, mongo: Mongo) -> None:
        self._database = mongo.database
        self._is_lost = False

    async def command(self, command: Document) -> Document:
        answer: Document = await self._database.command(command)
        if not self._is_lost:
            self._is_lost = True
            raise AutoReconnect("connection closed")
        return answer


@pytest.mark.parametrize("holders", [[], ["run_1", "run_2"]])
async def test_a_place_is_taken_once_when_the_answer_is_lost(mongo: Mongo, holders: list[str]) -> None:
    slots = SlotStore(mongo.database)
    if holders:
        await slots.take(SLOT, holders)
    slots._database = FirstAnswerLost(mongo)  # type: ignore[assignment]  # a connection that breaks at the worst moment

    held = await slots.take(SLOT, ["run_3"])

    assert list(held.holders) == [*holders, "run_3"]
    assert (await stored(mongo))["holders"] == [*holders, "run_3"]


async def test_freeing_again_changes_nothing_and_tells_only_of_slots_that_are_wanted(mongo: Mongo) -> None:
    slots = SlotStore(mongo.database)
    other = Slot("slot_2", Waiting.TARGET, "noter on doc plan", 3)
    for slot, ids in ((SLOT, ["run_1", "run_2", "run_3", "run_4"]), (other, ["run_1"])):
        await slots.take(slot, ids)

    wanted = [await slots.free({"slot_1": ["run_1", "run_9"], "slot_2": ["run_1"]}) for _ in range(2)]

    assert wanted == [["slot_1"], ["slot_1"]]
    assert {key: held.holders for key, held in (await slots.load(["slot_1", "slot_2"])).items()} == {
        "slot_1": ("run_2", "run_3"),
        "slot_2": (),
    }


async def test_places_in_many_slots_are_given_as_in_each_by_itself(mongo: Mongo) -> None:
    slots = SlotStore(mongo.database)
    known, full, new = SLOT, Slot("slot_2", Waiting.AGENT, "noter of globex", 2), Slot("slot_3", Waiting.AGENT, "x", 5)
    await slots.take(known, ["run_1"])
    await slots.take(full, ["run_2"])

    held = await slots.take_each({known: ["run_3", "run_4"], full: ["run_5", "run_6"], new: ["run_7"]})

    assert {slot.key: each.holders for slot, each in held.items()} == {
        "slot_1": ("run_1", "run_3", "run_4"),
        "slot_2": ("run_2", "run_5"),
        "slot_3": ("run_7",),
    }
    assert await slots.wanted() == ["slot_2"]


async def test_what_is_kept_free_is_for_others_only(mongo: Mongo) -> None:
    slots = SlotStore(mongo.database)
    reserved = Slot("slot_1", Waiting.ORGANISATION, "acme", 5, reserve=3)
    critical = Slot("slot_1", Waiting.ORGANISATION, "acme", 5)

    usual = await slots.take(reserved, ["run_1", "run_2", "run_3"])
    urgent = await slots.take(critical, ["run_4", "run_5", "run_6", "run_7"])
    full = await slots.take(reserved, ["run_8"])

    assert usual.holders == ("run_1", "run_2")
    assert urgent.holders == full.holders == ("run_1", "run_2", "run_4", "run_5", "run_6")


async def test_a_limit_that_was_lowered_lets_nobody_in_and_one_that_was_raised_does(mongo: Mongo) -> None:
    slots = SlotStore(mongo.database)
    await slots.take(SLOT, ["run_1", "run_2", "run_3"])
    lowered = Slot(SLOT.key, SLOT.kind, SLOT.label, 1)
    raised = Slot(SLOT.key, SLOT.kind, SLOT.label, 4)

    assert len((await slots.take(lowered, ["run_4"])).holders) == 3
    assert (await slots.take(raised, ["run_4"])).holders[-1] == "run_4"


@pytest.mark.parametrize("name", ["$holders", "$$ROOT", "a.b", "über *>"])
async def test_names_are_kept_to_the_letter(mongo: Mongo, name: str) -> None:
    slots = SlotStore(mongo.database)

    held = await slots.take(Slot("slot_1", Waiting.AGENT, name, 3), [name])

    assert (held.holders, (await stored(mongo))["label"]) == ((name,), name)


@pytest.mark.parametrize("limit", [1, 7, 30])
async def test_however_many_come_at_once_never_more_have_a_place_than_there_is_room(mongo: Mongo, limit: int) -> None:
    slots = SlotStore(mongo.database)
    slot = Slot("slot_1", Waiting.AGENT, "noter of acme", limit)
    chance = random.Random(limit)
    left: set[str] = set()

    async def come_and_go(run_id: str) -> None:
        for _ in range(3):
            held = await slots.take(slot, [run_id])
            assert len(held.holders) <= limit
            if run_id in held.holders and chance.random() < 0.5:
                await slots.free({"slot_1": [run_id]})
                left.add(run_id)
                return

    ids = [f"run_{number}" for number in range(40)]
    await asyncio.gather(*(come_and_go(run_id) for run_id in ids))

    (held,) = await slots.all()
    assert len(set(held.holders)) == len(held.holders) <= limit
    assert not left & set(held.holders)
    assert len(held.holders) == limit or (await stored(mongo))["is_wanted"] or set(held.holders) | left == set(ids)


async def test_of_many_at_once_exactly_as_many_get_a_place_as_there_is_room(mongo: Mongo) -> None:
    slots = SlotStore(mongo.database)

    await asyncio.gather(*(slots.take(SLOT, [f"run_{number}", f"run_{number + 1}"]) for number in range(20)))

    (held,) = await slots.all()
    assert len(set(held.holders)) == len(held.holders) == 3


async def test_mending_takes_off_who_does_not_hold_it_and_puts_on_who_does(mongo: Mongo) -> None:
    slots = SlotStore(mongo.database)
    await slots.take(SLOT, ["run_1", "run_2"])

    for _ in range(2):
        await slots.mend([("slot_1", ["run_1"])], [("slot_1", ["run_2", "run_3"]), ("slot_2", ["run_4"])])
    await slots.mend([], [])

    assert [held.holders for held in (await slots.load(["slot_1"])).values()] == [("run_2", "run_3")]
    assert await slots.load(["slot_2"]) == {}


async def test_a_slot_that_nobody_holds_or_waits_for_is_forgotten(mongo: Mongo) -> None:
    slots = SlotStore(mongo.database)
    for key in ("slot_empty", "slot_held", "slot_wanted"):
        await slots.take(Slot(key, Waiting.AGENT, key, 1), ["run_1"])
    await slots.free({"slot_empty": ["run_1"], "slot_wanted": ["run_1"]})
    await slots.want(["slot_wanted"], is_wanted=True)

    await slots.forget_empty()
    await slots.want(["slot_wanted"], is_wanted=False)

    assert {held.key for held in await slots.all()} == {"slot_held", "slot_wanted"}
    assert await slots.wanted() == []
