"""What goes to the product of an approved proposal."""

from contracts.registry import PLATFORM_TYPES, parse_json
from shared.domain.projection import proposals_of
from shared.domain.proposal_event import approved_event
from shared.domain.run import RunStatus
from tests.unit.shared.given import LATER, Document, a_stored_run, a_ticket_effect


def an_approved_proposal(**changes: object) -> Document:
    (proposal,) = proposals_of(a_stored_run(RunStatus.COMPLETED, effects=[a_ticket_effect()]))
    return {**proposal, "status": "approved", "decided_at": LATER, "decided_by": "olga", **changes}


def test_the_event_says_what_was_approved_by_whom_and_what_it_rests_on() -> None:
    evidence = [{"type": "document", "id": "plan", "quote": None}]

    event = approved_event(an_approved_proposal(evidence=evidence, ticket_ids=["APO-1"]))

    assert (event.organisationid, event.projectid, event.userid, event.time) == ("acme", "apollo", "ada", LATER)
    assert (event.data.kind, event.data.change) == ("ticket_change", a_ticket_effect()["change"])
    assert (event.data.approved_by, event.data.run_id, event.data.ticket_ids) == ("olga", "run_1", ("APO-1",))
    assert [each.id for each in event.data.evidence] == ["plan"]


def test_it_is_an_event_that_only_towpath_publishes_and_that_reads_back() -> None:
    event = approved_event(an_approved_proposal())

    assert parse_json(event.to_json()) == event
    assert event.type in PLATFORM_TYPES


def test_the_same_approval_is_the_same_event_and_another_one_is_not() -> None:
    proposal = an_approved_proposal()

    assert approved_event(proposal).key == approved_event(dict(proposal)).key
    assert approved_event(proposal).key != approved_event({**proposal, "_id": "prp_other"}).key


def test_a_proposal_of_an_older_version_is_told_too() -> None:
    older = an_approved_proposal(confidence="certain")
    for name in ("evidence", "ticket_ids", "target"):
        older.pop(name, None)

    assert (approved_event(older).data.evidence, approved_event(older).data.confidence) == ((), "certain")
