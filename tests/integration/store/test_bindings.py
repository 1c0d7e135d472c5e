"""Bindings: one for each scope and Agent."""

import pytest

from contracts.agents import CronSchedule, DailySchedule, IntervalSchedule, Schedule, Scope
from shared.domain.binding import Binding, ScopeRef
from shared.store.bindings import BindingStore
from shared.store.mongo import Mongo
from tests.unit.shared.given import LATER, NOW

USER = ScopeRef(Scope.USER, "ada")


@pytest.mark.parametrize(
    "schedule",
    [
        None,
        IntervalSchedule(every_seconds=60),
        DailySchedule(daily_hour=7, timezone="Europe/Berlin"),
        CronSchedule(cron="30 7 * * MON-FRI", timezone="Europe/Berlin"),
    ],
)
@pytest.mark.parametrize("enabled", [True, False, None])
async def test_a_binding_comes_back_as_it_was_put(
    mongo: Mongo, enabled: bool | None, schedule: Schedule | None
) -> None:
    bindings = BindingStore(mongo.database)
    binding = Binding("acme", USER, "noter", enabled, schedule=schedule, updated_at=NOW, updated_by="ada")

    await bindings.put(binding)

    assert await bindings.find({}) == [binding]


async def test_a_scope_has_one_binding_for_an_agent(mongo: Mongo) -> None:
    bindings = BindingStore(mongo.database)
    await bindings.put(Binding("acme", USER, "noter", enabled=False, updated_at=NOW, updated_by="ada"))

    latest = Binding("acme", USER, "noter", enabled=True, updated_at=LATER, updated_by="olga")
    await bindings.put(latest)

    assert await bindings.find({}) == [latest]


async def test_bindings_of_other_places_stay_beside_each_other(mongo: Mongo) -> None:
    bindings = BindingStore(mongo.database)
    places = [("", ScopeRef(Scope.SERVER)), ("acme", USER), ("other", USER), ("acme", ScopeRef(Scope.PROJECT, "ada"))]
    for organisation, at in places:
        await bindings.put(Binding(organisation, at, "noter", enabled=False))

    assert len(await bindings.find({})) == 4
    assert {binding.at for binding in await bindings.find({"organisation": "acme"})} == {USER, places[3][1]}
