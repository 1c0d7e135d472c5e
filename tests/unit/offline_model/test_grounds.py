"""What proposals of the offline model rest on."""

from infra.offline_model.findings import read
from infra.offline_model.grounds import grounded
from tests.unit.offline_model.inputs import rendered

PROPOSAL = {"title": "Renew the key", "reasoning": 'The check-in says: "The key has expired …"'}


def test_a_proposal_rests_on_the_event_in_the_words_that_it_quotes() -> None:
    reading = read(rendered({"today": "The key has expired."}))
    event_id = reading.material.event["id"]

    (proposal,) = grounded([PROPOSAL], reading)

    assert proposal["evidence"] == [{"type": "event", "id": event_id, "quote": "The key has expired"}]


def test_what_is_no_proposal_and_what_has_evidence_stay_as_they_are() -> None:
    reading = read(rendered({"today": "The key has expired."}))
    given = [{"title": "Export"}, {**PROPOSAL, "evidence": []}, "text"]

    assert grounded(given, reading) == given
    assert grounded("text", reading) == "text"
    assert grounded([PROPOSAL], read("The key has expired.")) == [PROPOSAL]
