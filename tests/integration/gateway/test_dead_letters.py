"""/api/dead-letters: who sees what, what is done about it, and that doing it twice is doing it once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.dead_letter import DeadLetter, DeadLetterKind
from shared.domain.run import RunStatus
from shared.store.dead_letters import DeadLetterStore
from shared.store.events import EventStore
from shared.store.mongo import Mongo
from tests.integration.gateway.asking import Asking
from tests.integration.store.given import accepted, run_of
from tests.unit.shared.given import Document, a_new_run, a_stored_run

# Of today, because the server deletes what has expired.
NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)
ADMIN = "organisation_admin"
SERVER_ADMIN = "server_admin"


def a_message(id: str = "dead_1", organisation: str | None = "acme", **facts: Any) -> DeadLetter:
    common = {"subject": "event.doc.created.acme", "payload": b"\xff no event", "at": NOW}
    code, reason = "event_unreadable", "The event is not JSON."
    return DeadLetter(
        id=id, kind=DeadLetterKind.EVENT, code=code, reason=reason, organisation=organisation, **{**common, **facts}
    )


def a_failure(run_id: str = "run_1", agent_key: str = "noter", at: datetime = NOW) -> DeadLetter:
    facts: dict[str, Any] = {"event_key": "ev_1", "run_id": run_id, "organisation": "acme", "agent_key": agent_key}
    return DeadLetter(run_id, DeadLetterKind.RUN, "model_refused", "The model declined.", at, **facts)


async def keep(mongo: Mongo, *letters: DeadLetter) -> None:
    await DeadLetterStore(mongo.database).keep(letters)


async def fail_runs(mongo: Mongo, *ids: str) -> None:
    failed = [a_stored_run(RunStatus.FAILED, a_new_run(run_id)) for run_id in ids]
    await mongo.database["runs"].insert_many(failed)


async def listed(asking: Asking, *roles: str, **params: str) -> list[Document]:
    answer = await asking.ask("GET", "/api/dead-letters", *roles, params=params)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["dead_letters"])


async def status_of(asking: Asking, letter_id: str) -> str:
    answer = await asking.ask("GET", f"/api/dead-letters/{letter_id}", SERVER_ADMIN)
    return str(answer.json()["status"])


@pytest.mark.parametrize(
    ("roles", "ids"),
    [
        ((ADMIN,), {"ours"}),
        (("backend",), {"ours"}),
        ((SERVER_ADMIN,), {"ours", "theirs", "unknown"}),
    ],
)
async def test_a_letter_is_seen_by_whom_it_concerns(
    asking: Asking, mongo: Mongo, roles: tuple[str, ...], ids: set[str]
) -> None:
    await keep(mongo, a_message("ours"), a_message("theirs", "harbour"), a_message("unknown", None))

    assert {letter["id"] for letter in await listed(asking, *roles)} == ids
    for letter_id in ("ours", "theirs", "unknown"):
        shown = await asking.ask("GET", f"/api/dead-letters/{letter_id}", *roles)
        tried = await asking.ask("POST", f"/api/dead-letters/{letter_id}/discard", *roles, json={"reason": "Old."})
        assert (shown.status_code == 200, tried.status_code == 200) == (letter_id in ids, letter_id in ids)


@pytest.mark.parametrize("roles", [(), ("project_admin",)])
async def test_others_see_and_decide_none(asking: Asking, mongo: Mongo, roles: tuple[str, ...]) -> None:
    await keep(mongo, a_message())

    answers = [
        await asking.ask("GET", "/api/dead-letters", *roles),
        await asking.ask("GET", "/api/dead-letters/dead_1", *roles),
        await asking.ask("POST", "/api/dead-letters/dead_1/redrive", *roles),
        await asking.ask("POST", "/api/dead-letters/redrive", *roles, json={"everything": True}),
        await asking.ask("POST", "/api/dead-letters/discard", *roles, json={"everything": True, "reason": "Old."}),
    ]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(403, "forbidden")}
    assert await status_of(asking, "dead_1") == "open"


async def test_an_organisation_may_be_asked_for_by_who_may_see_it(asking: Asking, mongo: Mongo) -> None:
    await keep(mongo, a_message("ours"), a_message("theirs", "harbour"))

    theirs = await listed(asking, SERVER_ADMIN, organisation="harbour")
    refused = await asking.ask("GET", "/api/dead-letters", ADMIN, params={"organisation": "harbour"})

    assert [letter["id"] for letter in theirs] == ["theirs"]
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")


async def test_filters_and_pages_lead_through_all_letters_the_latest_first(asking: Asking, mongo: Mongo) -> None:
    await keep(mongo, *(a_failure(f"run_{n}", at=NOW + timedelta(seconds=n)) for n in range(5)), a_message())
    await keep(mongo, a_failure("run_other", agent_key="reader"))

    pages: list[list[str]] = []
    cursor: dict[str, str] = {}
    while len(pages) < 5:
        params = {
            "kind": "run",
            "agent_key": "noter",
            "code": "model_refused",
            "status": "open",
            "limit": "2",
            **cursor,
        }
        answer = (await asking.ask("GET", "/api/dead-letters", ADMIN, params=params)).json()
        pages.append([letter["id"] for letter in answer["dead_letters"]])
        if answer["next_cursor"] is None:
            break
        cursor = {"cursor": answer["next_cursor"]}

    assert pages == [["run_4", "run_3"], ["run_2", "run_1"], ["run_0"]]


async def test_a_letter_is_shown_with_its_message(asking: Asking, mongo: Mongo) -> None:
    await keep(mongo, a_message())

    (in_list,) = await listed(asking, ADMIN)
    shown = (await asking.ask("GET", "/api/dead-letters/dead_1", ADMIN)).json()

    assert shown == in_list | {"payload": "/yBubyBldmVudA==", "payload_encoding": "base64"}
    assert (shown["kind"], shown["code"], shown["redrives"], shown["count"]) == (
        "event",
        "event_unreadable",
        "message",
        1,
    )


async def test_a_failed_run_is_queued_once_however_often_its_letter_is_redriven(asking: Asking, mongo: Mongo) -> None:
    await fail_runs(mongo, "run_1")
    await keep(mongo, a_failure())

    answers = [await asking.ask("POST", "/api/dead-letters/run_1/redrive", ADMIN) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert (answers[0].json()["status"], answers[0].json()["decided_by"]) == ("redriven", "olga")
    run = await run_of(mongo)
    assert (run["status"], run["redriven"]) == ("queued", 1)


async def test_a_letter_whose_run_was_queued_before_a_crash_is_redriven(asking: Asking, mongo: Mongo) -> None:
    await fail_runs(mongo, "run_1")
    await keep(mongo, a_failure())
    await asking.gateway.runs.redrive(["run_1"], NOW)

    answer = await asking.ask("POST", "/api/dead-letters/run_1/redrive", ADMIN)

    assert (answer.status_code, answer.json()["status"]) == (200, "redriven")
    assert (await run_of(mongo))["redriven"] == 1


async def test_a_letter_of_a_run_that_was_deleted_is_discarded_and_says_so(asking: Asking, mongo: Mongo) -> None:
    await keep(mongo, a_failure())

    answer = await asking.ask("POST", "/api/dead-letters/run_1/redrive", ADMIN)

    assert (answer.status_code, answer.json()["code"]) == (409, "dead_letter_obsolete")
    assert await status_of(asking, "run_1") == "discarded"


async def test_an_accepted_event_is_due_for_the_sweep_again(asking: Asking, mongo: Mongo) -> None:
    events, event = EventStore(mongo.database), accepted("a")
    await events.accept([event])
    await mongo.transaction(lambda within: events.set_aside(within, event.key, "dead_1"))
    await keep(mongo, a_message(event_key=event.key, is_accepted=True))

    answer = await asking.ask("POST", "/api/dead-letters/dead_1/redrive", ADMIN)

    assert (answer.json()["status"], answer.json()["redrives"]) == ("redriven", "event")
    (due,) = await events.due_for_sweep(datetime.now(UTC) + timedelta(seconds=5), 10)
    assert due["_id"] == event.key


async def test_a_message_that_cannot_be_published_stays_open(asking: Asking, mongo: Mongo) -> None:
    await keep(mongo, a_message())

    answer = await asking.ask("POST", "/api/dead-letters/dead_1/redrive", ADMIN)

    assert (answer.status_code, answer.json()["code"]) == (503, "messaging_unavailable")
    assert await status_of(asking, "dead_1") == "open"


async def test_a_letter_is_discarded_with_a_reason_and_stays_so(asking: Asking, mongo: Mongo) -> None:
    await fail_runs(mongo, "run_1")
    await keep(mongo, a_failure())

    unreasoned = await asking.ask("POST", "/api/dead-letters/run_1/discard", ADMIN, json={"reason": ""})
    answers = [
        await asking.ask("POST", "/api/dead-letters/run_1/discard", ADMIN, json={"reason": reason})
        for reason in ("The model was right.", "Said again.")
    ]
    redriven = await asking.ask("POST", "/api/dead-letters/run_1/redrive", ADMIN)

    assert (unreasoned.status_code, unreasoned.json()["code"]) == (422, "request_invalid")
    assert [(answer.status_code, answer.json()["decision_reason"]) for answer in answers] == [
        (200, "The model was right."),
        (200, "The model was right."),
    ]
    assert (redriven.status_code, redriven.json()["code"]) == (409, "dead_letter_decided")
    assert redriven.json()["letter_status"] == "discarded"
    assert (await run_of(mongo))["status"] == "failed"


async def test_what_was_redriven_cannot_be_discarded(asking: Asking, mongo: Mongo) -> None:
    await fail_runs(mongo, "run_1")
    await keep(mongo, a_failure())
    await asking.ask("POST", "/api/dead-letters/run_1/redrive", ADMIN)

    answer = await asking.ask("POST", "/api/dead-letters/run_1/discard", ADMIN, json={"reason": "Old."})

    assert (answer.status_code, answer.json()["code"]) == (409, "dead_letter_decided")


async def test_by_filter_a_bounded_number_is_redriven_and_the_answer_says_whether_more_are_left(
    asking: Asking, mongo: Mongo
) -> None:
    await fail_runs(mongo, *(f"run_{n}" for n in range(3)))
    await keep(mongo, *(a_failure(f"run_{n}") for n in range(3)), a_failure("run_gone"), a_message())
    selection: Document = {"kind": "run", "limit": 2}

    answers: list[Document] = []
    while not answers or answers[-1]["more"]:
        answer = await asking.ask("POST", "/api/dead-letters/redrive", ADMIN, json=selection)
        answers.append(answer.json())
        selection["before"] = answers[-1]["as_of"]

    assert [(answer["redriven"] + answer["obsolete"], answer["more"]) for answer in answers] == [(2, True), (2, False)]
    assert sum(answer["obsolete"] for answer in answers) == 1
    assert await mongo.database["runs"].count_documents({"status": "queued", "redriven": 1}) == 3
    assert {letter["id"] for letter in await listed(asking, ADMIN, status="open")} == {"dead_1"}


async def test_by_filter_letters_are_discarded(asking: Asking, mongo: Mongo) -> None:
    await keep(mongo, a_message("ours"), a_failure(), a_message("theirs", "harbour"))

    selection = {"code": "event_unreadable", "reason": "A test of the backend."}
    answer = await asking.ask("POST", "/api/dead-letters/discard", ADMIN, json=selection)

    assert (answer.json()["discarded"], answer.json()["more"]) == (1, False)
    assert [await status_of(asking, each) for each in ("ours", "run_1", "theirs")] == ["discarded", "open", "open"]


async def test_a_filter_that_means_everything_must_say_so(asking: Asking, mongo: Mongo) -> None:
    await keep(mongo, a_message())

    refused = await asking.ask("POST", "/api/dead-letters/discard", ADMIN, json={"reason": "Old."})
    meant = await asking.ask("POST", "/api/dead-letters/discard", ADMIN, json={"reason": "Old.", "everything": True})

    assert (refused.status_code, refused.json()["code"]) == (422, "request_invalid")
    assert meant.json()["discarded"] == 1
