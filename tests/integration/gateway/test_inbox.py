"""What one person's inbox shows, and to whom."""

from typing import Any

from shared.domain.projection import proposals_of
from shared.domain.run import RunStatus
from shared.store.deciding import Deciding
from shared.store.mongo import Mongo
from shared.store.proposals import ProposalStore
from tests.integration.gateway.asking import Asking
from tests.unit.shared.given import NOW, a_memory_effect, a_new_run, a_stored_run, a_ticket_effect


async def propose(mongo: Mongo, run_id: str, **facts: Any) -> list[str]:
    """Propose a memory diff and a ticket change; return their ids."""
    run = a_stored_run(
        RunStatus.COMPLETED, a_new_run(run_id, **facts), effects=[a_memory_effect(0, field=run_id), a_ticket_effect(1)]
    )
    proposals = proposals_of(run)
    await ProposalStore(mongo).project(proposals)
    return [proposal["_id"] for proposal in proposals]


async def test_an_inbox_has_what_is_pending_and_counts_that_the_page_does_not_narrow(
    asking: Asking, mongo: Mongo
) -> None:
    await propose(mongo, "run_1", user="olga")
    (_, decided) = await propose(mongo, "run_2", user="olga", agent_key="scanner")
    await propose(mongo, "run_3", user="ben")
    await ProposalStore(mongo).reject(decided, Deciding("olga", NOW))

    inbox = (await asking.ask("GET", "/api/inbox", params={"kind": "ticket_change"})).json()

    assert [(each["run_id"], each["kind"], each["event_key"]) for each in inbox["proposals"]] == [
        ("run_1", "ticket_change", "ev_1")
    ]
    assert inbox["total"] == 3
    assert sorted((each["agent_key"], each["kind"], each["count"]) for each in inbox["counts"]) == [
        ("noter", "memory_diff", 1),
        ("noter", "ticket_change", 1),
        ("scanner", "memory_diff", 1),
    ]


async def test_pages_follow_each_other_without_a_gap_or_a_repetition(asking: Asking, mongo: Mongo) -> None:
    ids = {id_ for number in range(3) for id_ in await propose(mongo, f"run_{number}", user="olga")}

    shown: list[str] = []
    page: dict[str, str] = {"limit": "4"}
    while True:
        inbox = (await asking.ask("GET", "/api/inbox", params=page)).json()
        shown += [each["id"] for each in inbox["proposals"]]
        if inbox["next_cursor"] is None:
            break
        page["cursor"] = inbox["next_cursor"]

    assert (len(shown), set(shown)) == (6, ids)


async def test_an_unchanged_inbox_is_not_sent_again(asking: Asking, mongo: Mongo) -> None:
    (id_, _) = await propose(mongo, "run_1", user="olga")
    tag = {"If-None-Match": (await asking.ask("GET", "/api/inbox")).headers["etag"]}

    unchanged = await asking.ask("GET", "/api/inbox", headers=tag)
    await ProposalStore(mongo).reject(id_, Deciding("olga", NOW))
    changed = await asking.ask("GET", "/api/inbox", headers=tag)

    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert (changed.status_code, changed.json()["total"]) == (200, 1)


async def test_nobody_reads_the_inbox_of_others_or_of_another_organisation(asking: Asking, mongo: Mongo) -> None:
    await propose(mongo, "run_1", user="ada")
    admin = "organisation_admin"

    assert (await asking.ask("GET", "/api/inbox", params={"user": "ada"})).status_code == 403
    assert (await asking.ask("GET", "/api/inbox", admin, params={"user": "ada"})).json()["total"] == 2
    elsewhere = await asking.ask("GET", "/api/inbox", admin, params={"all_users": "true"}, organisation="harbour")
    assert elsewhere.json()["total"] == 0


async def test_a_proposal_of_an_older_version_is_shown(asking: Asking, mongo: Mongo) -> None:
    await propose(mongo, "run_1", user="olga")
    newer = {"evidence": "", "ticket_ids": "", "target": ""}
    await mongo.database["proposals"].update_many({}, {"$unset": newer})

    (first, _) = (await asking.ask("GET", "/api/inbox")).json()["proposals"]

    assert (first["evidence"], first["ticket_ids"], first["target"]) == ([], [], None)
