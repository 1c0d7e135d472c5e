"""What cannot be handled is kept, seen, redriven and discarded, by REST and by the command line; nothing is lost."""

import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import nats
import pytest
import pytest_asyncio

from contracts.subjects import event_subject
from infra.local.parts import Part
from infra.local.parts import towpath as parts_of_towpath
from infra.local.settings import LocalSettings
from tests.support.caller import Caller
from tests.support.command_line import towpath
from tests.support.events import checkin
from tests.support.invariants import check_invariants
from tests.support.older_gating import UNKNOWN_TYPE
from tests.support.platform import Platform, running_platform
from tests.support.waiting import until_seen

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("dead letters"),
    pytest.mark.timeout(120),
]

Document = dict[str, Any]
MARKER = "older-deployment"


def with_an_older_gating(settings: LocalSettings) -> Sequence[Part]:
    """Return the parts of the product, with a gating that is an older one while a file is in the data folder."""
    command = (sys.executable, "-m", "tests.support.older_gating", str(settings.data_folder / MARKER))
    return [replace(part, command=command) if part.role == "gating" else part for part in parts_of_towpath(settings)]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def here(server_folder: Path) -> AsyncIterator[Platform]:
    """Yield the platform of these tests, whose gating may be deployed again."""
    async with running_platform(server_folder, {"GATE_WAIT_SECONDS": "15"}, with_an_older_gating) as started:
        yield started


async def letters(caller: Caller, **query: str) -> list[Document]:
    answer = await caller.get("/api/dead-letters", query)
    assert answer.status == 200, answer
    return list(answer.body["dead_letters"])


async def the_letter(caller: Caller, **query: str) -> Document:
    (letter,) = await until_seen(lambda: letters(caller, **query), bool)
    return letter


async def publish_poison(platform: Platform, organisation: str) -> bytes:
    payload = f"no event of {organisation}".encode()
    client = await nats.connect(platform.stack.nats_url)
    await client.jetstream().publish(event_subject("doc.created", organisation), payload)
    await client.close()
    return payload


async def counted(platform: Platform, figure: str) -> float:
    """Return a figure of GET /metrics, as a scraper without a token sees it."""
    async with platform.session.get(f"{platform.stack.gateway_url}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    return next(float(line.rpartition(" ")[2]) for line in lines if line.startswith(figure))


async def test_a_message_that_is_no_event_is_inspected_redriven_and_discarded(
    here: Platform, organisation: str
) -> None:
    admin, stranger = here.caller(organisation), here.caller(f"{organisation}-other")
    payload = await publish_poison(here, organisation)
    letter = await the_letter(admin)

    shown = await towpath(admin, "dead-letters", "show", letter["id"])
    redriven = await admin.post(f"/api/dead-letters/{letter['id']}/redrive")
    again = await until_seen(lambda: the_letter(admin), lambda found: found["count"] == 2 and found["redriven"] == 1)
    discarded = await towpath(admin, "dead-letters", "discard", letter["id"], "--reason", "sent by a test")

    assert (letter["code"], letter["status"], letter["organisation"]) == ("event_unreadable", "open", organisation)
    assert payload.decode() in shown.out
    assert (redriven.status, again["status"]) == (200, "open")
    assert (discarded.exit_code, discarded.out) == (0, f"{letter['id']} is discarded.\n")
    assert await letters(admin, status="open") == []
    assert (await the_letter(admin))["decision_reason"] == "sent by a test"
    assert await letters(stranger) == []
    assert (await towpath(stranger, "dead-letters", "show", letter["id"])).exit_code == 1
    counter = 'towpath_dead_letters_discarded_total{kind="event"}'
    await until_seen(lambda: counted(here, counter), lambda count: count >= 1)


@pytest.mark.parametrize("by", ["REST", "the command line"])
async def test_a_failed_run_is_redriven_and_completes(here: Platform, organisation: str, by: str) -> None:
    admin = here.caller(organisation)
    await here.model.have_faults({"kind": "refusal", "match": organisation})
    run_id = await admin.start_run(checkin(organisation, f"I prefer calm weeks, says {organisation}."))
    await admin.run_that_is(run_id, "failed")
    letter = await the_letter(admin, status="open", kind="run", agent_key="today_checkin_processor")

    if by == "REST":
        answer = await admin.post(f"/api/dead-letters/{letter['id']}/redrive")
        assert (answer.status, answer.body["status"]) == (200, "redriven")
    else:
        ended = await towpath(admin, "dead-letters", "redrive", "--kind", "run", "--code", "model_refused", "--json")
        assert ended.json == {"redriven": 1, "obsolete": 0}
    completed = await admin.run_that_is(run_id, "completed")
    repeated = await admin.post(f"/api/dead-letters/{letter['id']}/redrive")
    await here.settled()

    assert (letter["id"], letter["code"], letter["redrives"]) == (run_id, "model_refused", "run")
    assert (completed["redriven"], completed["error"]) == (1, None)
    assert len(await admin.proposals_of(run_id)) == 1
    assert (repeated.status, repeated.body["status"], repeated.body["count"]) == (200, "redriven", 1)
    assert (await admin.run(run_id))["status"] == "completed"


async def test_a_run_that_fails_again_is_open_again(here: Platform, organisation: str) -> None:
    admin = here.caller(organisation)
    await here.model.have_faults({"kind": "refusal", "match": organisation, "times": 2})
    run_id = await admin.start_run(checkin(organisation, f"I prefer calm weeks, says {organisation}."))
    await the_letter(admin, status="open")

    await admin.post(f"/api/dead-letters/{run_id}/redrive")
    again = await until_seen(lambda: the_letter(admin), lambda found: found["count"] == 2)

    assert (again["status"], again["redriven"]) == ("open", 1)
    listed = await towpath(admin, "dead-letters", "list")
    assert run_id in listed.out
    assert "model_refused" in listed.out


async def test_an_accepted_event_that_a_deployment_does_not_know_waits_for_one_that_does(
    here: Platform, organisation: str
) -> None:
    admin = here.caller(organisation)
    marker = here.stack.settings.data_folder / MARKER
    marker.touch()
    await here.restart("gating")
    (event,) = (await admin.publish(checkin(organisation))).body["events"]
    letter = await the_letter(admin, status="open")
    redriven_too_early = await admin.post(f"/api/dead-letters/{letter['id']}/redrive")
    still = await until_seen(lambda: the_letter(admin), lambda found: found["count"] == 2 and found["redriven"] == 1)
    due = here.database["events"].count_documents({"_id": event["key"], "sweep_at": {"$exists": True}})

    marker.unlink()
    await here.restart("gating")
    redriven = await towpath(admin, "dead-letters", "redrive", letter["id"])
    (run,) = await until_seen(admin.runs, bool)
    await admin.run_that_is(run["id"], "completed")

    assert (event["pending"], event["agent_runs"]) == (True, [])
    assert (letter["code"], letter["event_key"], letter["redrives"]) == ("unknown_event_type", event["key"], "event")
    assert UNKNOWN_TYPE in letter["reason"]
    assert (redriven_too_early.status, still["status"], due) == (200, "open", 0)
    assert redriven.exit_code == 0
    assert (await the_letter(admin))["status"] == "redriven"
    stored = here.database["events"].find_one({"_id": event["key"]})
    assert stored is not None
    assert (stored["gated"], "dead_letter" in stored) == (True, False)
    await here.settled()
    check_invariants(here.database)
