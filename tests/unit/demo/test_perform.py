"""Playing a script: order, duplicates, and what goes wrong."""

from datetime import UTC, datetime

from contracts.agents import Scope
from infra.demo.client import Json
from infra.demo.perform import Performer
from infra.demo.progress import Note, Progress
from infra.demo.script import Approve, Publish, Schedule, Script, Step, SwitchOff
from tests.unit.demo.clients import ScriptedClient
from tests.unit.demo.samples import checkin, started

AT = datetime(2026, 11, 19, 6, 45, tzinfo=UTC)
NIGHTLY = Schedule(AT, "acme", "ines", "ticket_conflict_scanner", Scope.PROJECT, "apollo", 5)
APPROVAL = Approve(AT, "acme", "ada", "goals", "current_focus")
SWITCH = SwitchOff(AT, "acme", "ines", "docs_memory_reviewer", Scope.PROJECT, "apollo")


async def _played(client: ScriptedClient, *steps: Step) -> Progress:
    progress = Progress()
    await Performer({"acme": client}, lambda _: client, progress).play(Script("a test", steps))
    return progress


async def test_requests_are_sent_as_they_stand_and_their_decisions_taken() -> None:
    client = ScriptedClient({"1": [started("run_1")], "2": []})

    progress = await _played(client, Publish("acme", (checkin("1"), checkin("2"))))

    assert client.published == [["1", "2"]]
    assert progress.outcomes() == {"run": 1}
    assert progress.undecided() == []


async def test_a_pending_answer_leaves_the_event_undecided() -> None:
    progress = await _played(ScriptedClient({}), Publish("acme", (checkin("1"),)))

    assert [followed.event.id for followed in progress.undecided()] == ["1"]


async def test_an_event_that_is_sent_again_is_counted_and_shown_as_that() -> None:
    request = Publish("acme", (checkin("1"),))

    progress = await _played(ScriptedClient({"1": [started("run_1")]}), request, request)

    assert progress.sent_again == 1
    assert [entry.outcome for entry in progress.entries if isinstance(entry, Note)] == ["sent again: the same answer"]
    assert progress.troubles == []


async def test_another_answer_to_the_same_event_is_a_trouble() -> None:
    client = ScriptedClient({"1": [started("run_1")]})
    progress = await _played(client, Publish("acme", (checkin("1"),)))
    client.decisions = {"1": [started("run_2")]}

    await Performer({"acme": client}, lambda _: client, progress).play(
        Script("a test", (Publish("acme", (checkin("1"),)),))
    )

    assert progress.troubles == ["event '1' was answered differently the second time"]


async def test_refusals_are_kept_with_their_event() -> None:
    class Refusing(ScriptedClient):
        async def publish(self, events: object) -> Json:
            return {"events": [], "errors": [{"index": 1, "field": "id", "message": "It was used."}]}

    progress = await _played(Refusing({}), Publish("acme", (checkin("1"), checkin("2"))))

    assert progress.events[checkin("2").key].refusals == ["id: It was used."]
    assert progress.events[checkin("1").key].refusals == []


async def test_a_request_that_fails_is_a_trouble_and_the_rest_is_played() -> None:
    client = ScriptedClient({}, refuses=True)

    progress = await _played(client, Publish("acme", (checkin("1"), checkin("2"))), SWITCH)

    assert progress.troubles == ["sending '1' and 1 more: Temporarily unavailable (storage_unavailable)"]
    assert client.switched == [SWITCH]


async def test_switching_off_is_shown() -> None:
    progress = await _played(ScriptedClient({}), SWITCH)

    assert progress.entries == [
        Note(AT, "apollo", "ines", "binding.changed", "docs_memory_reviewer off for this project")
    ]


async def test_a_schedule_is_set_and_shown() -> None:
    client = ScriptedClient({})

    progress = await _played(client, NIGHTLY)

    assert client.scheduled == [NIGHTLY]
    assert [entry.outcome for entry in progress.entries if isinstance(entry, Note)] == [
        "ticket_conflict_scanner every 5 s for this project"
    ]


async def test_a_proposal_is_approved_once_it_is_there() -> None:
    client = ScriptedClient({})
    client.inbox = [None, {"id": "prp_1"}]

    progress = await _played(client, APPROVAL)

    assert client.approved == ["prp_1"]
    assert [entry.what for entry in progress.entries if isinstance(entry, Note)] == ["proposal.approved"]
