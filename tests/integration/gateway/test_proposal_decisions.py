"""Deciding proposals over HTTP: edited, many at once, undone."""

from shared.store.mongo import Mongo
from tests.integration.gateway.asking import Asking
from tests.integration.store.proposing import proposed, text_of

ADMIN = "organisation_admin"


async def test_of_many_each_is_decided_for_itself(mongo: Mongo, asking: Asking) -> None:
    ids = [await proposed(mongo, n, agent=f"agent_{n}", proposed_value=text) for n, text in enumerate(["tea", "milk"])]

    answer = await asking.ask("POST", "/api/proposals/approve", ADMIN, json={"ids": [*ids, "prp_unknown"]})

    done = answer.json()
    assert (answer.status_code, done["approved"], done["refused"]) == (200, 1, 2)
    assert [each["error"] and each["error"]["code"] for each in done["results"]] == [
        None,
        "proposal_stale",
        "not_found",
    ]
    assert done["results"][0]["proposal"]["applied_value"] == "tea"
    assert done["results"][1]["error"]["facts"]["current"] == "tea"
    foreign = await asking.ask("POST", "/api/proposals/approve", json={"ids": ids})
    assert [each["error"]["code"] for each in foreign.json()["results"]] == ["not_found", "not_found"]


async def test_an_edited_approval_shows_its_receipt_and_is_undone(mongo: Mongo, asking: Asking) -> None:
    path = f"/api/proposals/{await proposed(mongo, 1)}"

    approved = (await asking.ask("POST", f"{path}/approve", ADMIN, json={"proposed_value": "afternoons"})).json()
    undone = (await asking.ask("POST", f"{path}/undo", ADMIN, json={"reason": "No."})).json()

    assert (approved["proposed_value"], approved["applied_value"], approved["edited_by"]) == (
        "mornings",
        "afternoons",
        "olga",
    )
    assert (approved["applied_version"], approved["applied_by"], approved["rebased"]) == (1, "olga", False)
    assert (undone["undone_version"], undone["undone_by"], undone["undone_reason"]) == (2, "olga", "No.")
    assert await text_of(mongo) is None
    assert (await asking.ask("POST", f"{path}/undo", json={})).status_code == 404
