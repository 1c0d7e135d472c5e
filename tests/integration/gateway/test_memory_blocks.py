"""Memory blocks over HTTP: their history, what people write, and who may."""

from typing import Any

from shared.store.mongo import Mongo
from shared.store.proposals import ProposalStore
from tests.integration.gateway.asking import Asking
from tests.integration.store.proposing import BLOCK, DECIDING, proposed

ADMIN = "organisation_admin"
PATH = f"/api/memory/{BLOCK}"


async def remembered(mongo: Mongo, *texts: str) -> None:
    """Have an Agent's proposals approved, each with the next text."""
    for number, text in enumerate(texts):
        id_ = await proposed(
            mongo,
            number,
            current_value=texts[number - 1] if number else "",
            proposed_value=text,
            agent=f"agent_{number}",
        )
        await ProposalStore(mongo).approve(id_, DECIDING)


async def test_every_version_is_there_with_author_reason_and_difference(mongo: Mongo, asking: Asking) -> None:
    await remembered(mongo, "I like tea.", "I like green tea.")

    page = (await asking.ask("GET", f"{PATH}/versions?limit=1", ADMIN)).json()
    rest = (await asking.ask("GET", f"{PATH}/versions?cursor={page['next_cursor']}", ADMIN)).json()
    one = (await asking.ask("GET", f"{PATH}/versions/2", ADMIN)).json()
    diff = (await asking.ask("GET", f"{PATH}/diff?from=1&to=2", ADMIN)).json()

    assert [each["version"] for each in page["versions"] + rest["versions"]] == [2, 1]
    assert (rest["next_cursor"], page["versions"]) == (None, [one])
    assert (one["action"], one["reason"], one["author"]["agent_key"]) == ("approved", "Right.", "agent_1")
    assert diff["fields"]["reviews"][1] == {"part": "added", "text": "green "}
    assert (await asking.ask("GET", f"{PATH}/versions?cursor=x", ADMIN)).status_code == 422
    assert (await asking.ask("GET", f"{PATH}/versions/3", ADMIN)).status_code == 404


async def test_a_person_writes_on_the_version_that_he_has_seen_and_nothing_else(mongo: Mongo, asking: Asking) -> None:
    await remembered(mongo, "tea", "coffee")
    edit = {"fields": {"reviews": "milk", "drinks": "much"}, "base_version": 1, "reason": "She told me."}

    stale = await asking.ask("PUT", PATH, ADMIN, json=edit)
    written = await asking.ask("PUT", PATH, ADMIN, json=edit | {"base_version": 2})
    restored = await asking.ask("POST", f"{PATH}/restore", ADMIN, json={"version": 1})
    late = await asking.ask("POST", f"{PATH}/restore", ADMIN, json={"version": 2, "base_version": 3})

    assert (stale.status_code, late.status_code, stale.json()["code"]) == (409, 409, "memory_changed")
    told = {name: stale.json()[name]["reviews"] for name in ("base", "current", "proposed")}
    assert told == {"base": "tea", "current": "coffee", "proposed": "milk"}
    assert (written.json()["version"], written.json()["fields"]) == (3, {"reviews": "milk", "drinks": "much"})
    assert (restored.json()["version"], restored.json()["fields"]) == (4, {"reviews": "tea"})
    history = (await asking.ask("GET", f"{PATH}/versions", ADMIN)).json()["versions"]
    assert [(each["action"], each["reason"]) for each in history[:2]] == [
        ("restored", None),
        ("edited", "She told me."),
    ]
    assert (history[0]["restored_version"], history[1]["author"]["user"]) == (1, "olga")


async def test_a_block_is_begun_once_and_by_whom_it_belongs_to(mongo: Mongo, asking: Asking) -> None:
    goals = {"label": "goals", "fields": {"focus": "Ship the wallet.", "later": ""}}
    of_project = goals | {"owner": {"type": "project", "id": "apollo"}}

    begun = await asking.ask("POST", "/api/memory", json=goals | {"reason": "To begin with."})
    again = await asking.ask("POST", "/api/memory", json=goals | {"fields": {"focus": "Rest."}})
    of_another = await asking.ask("POST", "/api/memory", json=goals | {"owner": {"type": "user", "id": "zoe"}})
    of_strangers = await asking.ask("POST", "/api/memory", json=of_project)
    by_admin = await asking.ask("POST", "/api/memory", ADMIN, json=of_project)
    unnamed = await asking.ask("POST", "/api/memory", ADMIN, json=goals | {"owner": {"type": "project"}})

    assert (begun.status_code, begun.json()["version"], begun.json()["fields"]) == (
        201,
        1,
        {"focus": "Ship the wallet."},
    )
    assert (again.status_code, again.json()["code"]) == (409, "memory_changed")
    assert again.json()["current"] == {"focus": "Ship the wallet."}
    assert (of_another.status_code, of_strangers.status_code) == (403, 403)
    assert (by_admin.status_code, by_admin.json()["owner"]["id"]) == (201, "apollo")
    assert (unnamed.status_code, "which project" in unnamed.text) == (422, True)


async def test_what_is_not_ones_own_does_not_exist(mongo: Mongo, asking: Asking) -> None:
    await remembered(mongo, "tea")
    requests: list[tuple[str, str, Any]] = [
        ("GET", PATH, None),
        ("GET", f"{PATH}/versions", None),
        ("GET", f"{PATH}/versions/1", None),
        ("GET", f"{PATH}/diff?from=0&to=1", None),
        ("PUT", PATH, {"fields": {"reviews": "mine"}, "base_version": 1}),
        ("POST", f"{PATH}/restore", {"version": 1}),
    ]

    as_another = [(await asking.ask(method, path, json=body)).status_code for method, path, body in requests]
    elsewhere = [
        (await asking.ask(method, path, ADMIN, organisation="other", json=body)).status_code
        for method, path, body in requests
    ]

    assert as_another == elsewhere == [404] * len(requests)
    assert (await asking.ask("GET", PATH, ADMIN)).json()["fields"] == {"reviews": "tea"}
