"""/api/jobs and /api/sessions: jobs by request, and what was said in a session."""

from typing import Any

from contracts.chats import ChatTurnCompleted
from services.gateway.routes import sessions as session_routes
from shared.conversation import messages_of, whose
from shared.domain.session import session_key
from shared.store.mongo import Mongo
from shared.store.sessions import Turn
from tests.integration.gateway.asking import Asking
from tests.unit.shared.given import NOW, an_event

JOB: dict[str, Any] = {"job_id": "build/17", "session_id": "chat-1", "kind": "build", "command": "make"}
KEY_OF = "/api/jobs/{}"


async def started(asking: Asking, **changes: Any) -> dict[str, Any]:
    answer = await asking.ask("POST", "/api/jobs", json=JOB | changes)
    assert answer.status_code == 201, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def test_a_job_is_started_lives_and_ends_and_each_may_be_said_twice(mongo: Mongo, asking: Asking) -> None:
    job = await started(asking, timeout_seconds=60, heartbeat_seconds=30)
    again = await started(asking, timeout_seconds=60, heartbeat_seconds=30)
    path = KEY_OF.format(job["key"])
    living = await asking.ask("POST", f"{path}/heartbeat")
    ended = [await asking.ask("POST", f"{path}/finish", json={"exit_code": 2, "output": "lint"}) for _ in range(2)]
    late = await asking.ask("POST", f"{path}/heartbeat")
    other = await asking.ask("POST", f"{path}/finish", json={"exit_code": 0})
    listed = await asking.ask("GET", "/api/jobs", params={"status": "failed", "session_id": "chat-1"})

    assert (job["status"], job["follow_up"], job["user"]) == ("running", None, "olga")
    assert again == job
    assert living.json()["status"] == "running"
    assert [(each.status_code, each.json()["status"], each.json()["output"]) for each in ended] == [
        (200, "failed", "lint")
    ] * 2
    assert ended[0].json()["follow_up"]["status"] == "pending"
    assert [(each.status_code, each.json()["code"]) for each in (late, other)] == [(409, "job_ended")] * 2
    assert late.json()["job_status"] == "failed"
    assert [each["job_id"] for each in listed.json()["jobs"]] == ["build/17"]
    # What a backend might have published itself, for the gate.
    kinds = [event["type"] async for event in mongo.database["events"].find({}).sort("accepted_at")]
    assert kinds == ["job.started", "job.finished"]


async def test_a_job_that_was_found_to_have_ended_tells_its_worker_so_and_keeps_what_it_says(
    mongo: Mongo, asking: Asking
) -> None:
    job = await started(asking, timeout_seconds=60)
    stored = await asking.gateway.jobs.get(job["key"])
    assert stored is not None
    await asking.gateway.jobs.find_ended(stored, "timed_out", NOW, NOW)

    living = await asking.ask("POST", f"{KEY_OF.format(job['key'])}/heartbeat")

    assert (living.status_code, living.json()["code"], living.json()["job_status"]) == (409, "job_ended", "timed_out")


async def test_an_id_of_another_job_and_a_session_of_somebody_else_are_refused(mongo: Mongo, asking: Asking) -> None:
    await started(asking)

    taken = await asking.ask("POST", "/api/jobs", json=JOB | {"kind": "export"})
    foreign = await asking.ask(
        "POST", "/api/jobs", "backend", json={"session_id": "chat-1", "kind": "build", "user": "ada"}
    )
    elsewhere = await asking.ask("GET", KEY_OF.format((await started(asking))["key"]), organisation="other")
    contradictory = await asking.ask(
        "POST", "/api/jobs", json=JOB | {"timeout_seconds": 5, "deadline_at": "2026-11-20T09:00:00Z"}
    )
    silent = await asking.ask("POST", f"{KEY_OF.format((await started(asking))['key'])}/finish", json={})

    assert (taken.status_code, taken.json()["code"]) == (409, "job_exists")
    assert (foreign.status_code, foreign.json()["code"]) == (404, "not_found")
    assert elsewhere.status_code == 404
    assert (contradictory.status_code, silent.status_code) == (422, 422)


async def test_a_session_is_shown_in_pages_and_is_gone_once_deleted(mongo: Mongo, asking: Asking) -> None:
    said = [{"role": "user", "text": text} for text in ("One.", "Two.", "Three.")]
    data = {"session_id": "chat-1", "turn_id": "turn-1", "messages": said}
    event = an_event("chat.turn_completed", data=data, organisationid="acme", userid="olga")
    assert isinstance(event, ChatTurnCompleted)
    sessions, session = asking.gateway.sessions, whose(event)
    await sessions.keep([session], NOW)
    await sessions.messages.add(messages_of(event, await sessions.take_places(session, event.key, 3, NOW) or 0, NOW))
    await sessions.begin([Turn(session, "turn-2", asking.gateway.clock().replace(year=2100))], NOW)

    first = (await asking.ask("GET", "/api/sessions/chat-1", params={"limit": "2"})).json()
    rest = (await asking.ask("GET", "/api/sessions/chat-1", params={"cursor": first["next_cursor"]})).json()
    elsewhere = await asking.ask("GET", f"/api/sessions/{session_key('acme', 'chat-1')}", organisation="other")
    deleted = [await asking.ask("DELETE", "/api/sessions/chat-1") for _ in range(2)]
    gone = await asking.ask("GET", "/api/sessions/chat-1")

    assert [each["text"] for each in first["messages"]] == ["One.", "Two."]
    assert (first["length"], first["open_turn"]["id"], first["next_cursor"]) == (3, "turn-2", "1")
    assert ([each["text"] for each in rest["messages"]], rest["next_cursor"]) == (["Three."], None)
    assert [each.status_code for each in (elsewhere, *deleted, gone)] == [404, 200, 404, 404]
    told = await mongo.database["events"].find_one({"type": "session.deleted"})
    assert told is not None
    assert session_routes.SOURCE in told["json"]
    assert await mongo.database["session_messages"].count_documents({}) == 0
