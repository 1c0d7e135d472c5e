"""When following ends, and what it says did not come."""

import asyncio

from contracts.envelope import Event
from infra.demo.fires import Fire
from infra.demo.follow import Patience, Stillness, follow
from infra.demo.progress import Progress
from infra.demo.script import Due, Membership
from infra.demo.watch import Watch
from tests.unit.demo.clients import ScriptedClient
from tests.unit.demo.samples import checkin, fired, run, started

ADA, BOB = Membership("acme", "apollo", "ada"), Membership("acme", "apollo", "bob")
SHORT = Patience(stillness_seconds=0.3)


class ScriptedFires:
    """One more fire with each look."""

    def __init__(self, *events: Event) -> None:
        self._events = events
        self._looks = 0

    async def all(self) -> list[Fire]:
        self._looks += 1
        return [Fire(event, []) for event in self._events[: self._looks]]


def _watch(
    progress: Progress, *fires: Event, members: tuple[Membership, ...] = (), client: ScriptedClient | None = None
) -> Watch:
    due = frozenset(Due("operating_pulse", each.organisation, each.project, each.user) for each in members)
    return Watch(progress, frozenset(members), due, {"acme": client or ScriptedClient({})}, {}, ScriptedFires(*fires))


async def _followed(watch: Watch, patience: Patience = SHORT) -> Progress:
    played = asyncio.Event()
    played.set()
    await follow(watch, played, lambda: None, patience)
    return watch.progress


async def test_it_ends_when_all_is_settled() -> None:
    progress = Progress()
    progress.follow(checkin())
    progress.decide(checkin().key, [])

    assert (await _followed(_watch(progress), Patience(60))).missing() == []


async def test_it_goes_on_while_events_are_still_sent() -> None:
    played, looks = asyncio.Event(), 0

    def on_look() -> None:
        nonlocal looks
        looks += 1
        if looks == 3:
            played.set()

    await follow(_watch(Progress()), played, on_look, Patience(60))

    assert looks == 3


async def test_it_gives_up_when_nothing_moves() -> None:
    progress = Progress()
    progress.follow(checkin())

    assert (await _followed(_watch(progress))).missing() == ["checkin.submitted 'checkin-1' has no decisions"]


async def test_it_asks_again_for_what_was_pending() -> None:
    progress = Progress()
    progress.follow(checkin())
    client = ScriptedClient({"checkin-1": [started("run_1")]}, [run("run_1", "completed")])

    assert (await _followed(_watch(progress, client=client), Patience(60))).missing() == []
    assert client.published == [["checkin-1"]]


async def test_it_waits_for_a_fire_for_every_member() -> None:
    watch = _watch(Progress(), fired("ada"), fired("bob"), members=(ADA, BOB))

    progress = await _followed(watch, Patience(60, fires_seconds=60))

    assert [fire.event.userid for fire in progress.fires] == ["ada", "bob"]
    assert progress.missing() == []


async def test_it_says_for_whom_no_fire_came() -> None:
    watch = _watch(Progress(), fired("ada"), members=(ADA, BOB))

    progress = await _followed(watch, Patience(60, fires_seconds=0.3))

    assert progress.missing() == ["operating_pulse did not fire for bob in apollo"]


async def test_fires_for_others_are_left_alone() -> None:
    watch = _watch(Progress(), fired("zoe"), fired("ada"), members=(ADA,))

    progress = await _followed(watch, Patience(60, fires_seconds=60))

    assert [fire.event.userid for fire in progress.fires] == ["ada"]


async def test_a_question_that_fails_is_told() -> None:
    progress = Progress()
    progress.follow(checkin())
    watch = _watch(progress, client=ScriptedClient({}, refuses=True))

    await _followed(watch, Patience(stillness_seconds=1.2))

    assert progress.troubles == ["asking again failed: Temporarily unavailable (storage_unavailable)"]


def test_stillness_begins_anew_with_every_change() -> None:
    progress = Progress()
    stillness = Stillness(progress)

    before = [stillness.seconds(10.0), stillness.seconds(12.5)]
    progress.follow(checkin())

    assert (before, stillness.seconds(13.0), stillness.seconds(14.0)) == ([0.0, 2.5], 0.0, 1.0)
