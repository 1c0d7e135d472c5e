"""The texts of an answer that are not proposals."""

import orjson

from infra.offline_model import notes
from infra.offline_model.findings import read
from tests.unit.offline_model.inputs import CHECKIN, rendered

MEMORY = "## goals\nfocus: Finish the import.\ndemo: Demo on 3 May.\n## blockers\nlegal: Waiting for legal."


def test_coaching_begins_with_the_blocker_and_quotes() -> None:
    text = notes.coaching(read(rendered(CHECKIN)))

    assert text.startswith('Settle this first: "Waiting for legal to approve the contract".')
    assert "APO-12 by Friday" in text


def test_coaching_of_an_empty_check_in_is_one_sentence() -> None:
    assert notes.coaching(read(rendered({"text": ""}))).count(".") == 1


def test_summary_is_the_beginning_under_the_title() -> None:
    text = rendered({"title": "Runbook", "text": "One. Two. Three. Four."}, type="doc.created")

    assert notes.summary(read(text)) == "Runbook: One. Two. Three."


def test_summary_of_an_archived_document_says_so() -> None:
    text = rendered({"title": "Runbook", "text": ""}, type="doc.archived")

    assert notes.summary(read(text)) == "Runbook: the document was archived."


def test_references_are_listed_once_with_their_context() -> None:
    text = rendered({"text": "See APO-1 at https://example.com by Friday. APO-1 again."}, type="doc.created")

    found = notes.references(read(text))

    assert [(each["kind"], each["value"]) for each in found] == [
        ("ticket", "APO-1"),
        ("link", "https://example.com"),
        ("date", "by Friday"),
    ]
    assert found[0]["context"].startswith("See APO-1")


def test_pulse_rests_on_the_memory() -> None:
    reading = read(rendered({}, type="schedule.fired", memory_of_user=MEMORY))

    assert notes.pulse(reading) == '2 goals and 1 blocker are remembered; first comes "Demo on 3 May".'
    assert [each["title"] for each in notes.focus(reading)] == ["Demo on 3 May", "Finish the import"]
    assert [(each["title"], each["severity"]) for each in notes.risks(reading)] == [("Waiting for legal", "medium")]


def test_pulse_without_memory_has_no_focus_and_no_risks() -> None:
    reading = read(rendered({}, type="schedule.fired"))

    assert notes.pulse(reading) == "Nothing is remembered yet about current work."
    assert (notes.focus(reading), notes.risks(reading)) == ([], [])


def test_coaching_quotes_what_a_document_says_about_the_day() -> None:
    said = "The wallet has an owner. The wallet works without a network. It is blue."
    found = orjson.dumps([{"document_id": "doc-1", "title": "Ticket wallet", "text": said}]).decode()

    text = notes.coaching(read(rendered({"today": "Test the wallet without any network."}), [found]))

    assert text.endswith('"Ticket wallet" says: "The wallet works without a network".')
