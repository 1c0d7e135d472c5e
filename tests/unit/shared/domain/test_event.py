"""The record of an accepted event."""

from hypothesis import given

from contracts.registry import parse_json
from shared.domain.event import accepted_event
from tests.unit.shared.given import IDENTIFIERS, NOW, an_event


def test_the_record_says_whose_the_event_is() -> None:
    event = an_event(organisationid="acme", projectid="apollo", userid="ada")

    record = accepted_event(event, event.to_json().decode(), NOW)

    assert (record.organisation, record.project, record.user) == ("acme", "apollo", "ada")
    assert (record.key, record.id, record.type, record.accepted_at) == (event.key, event.id, event.type, NOW)
    assert parse_json(record.json.encode()) == event


def test_equal_events_have_equal_content_however_they_were_written() -> None:
    event = an_event()
    spaced = event.to_json().replace(b'":', b'" : ')

    one, other = (accepted_event(event, json.decode(), NOW) for json in (event.to_json(), spaced))

    assert one.content_hash == other.content_hash
    assert one.json != other.json


def test_other_content_under_the_same_id_is_told_apart() -> None:
    one, other = an_event(), an_event(data={"today": "Something else."})

    records = [accepted_event(event, event.to_json().decode(), NOW) for event in (one, other)]

    assert records[0].key == records[1].key
    assert records[0].content_hash != records[1].content_hash


@given(organisation=IDENTIFIERS, source=IDENTIFIERS, id=IDENTIFIERS)
def test_the_key_depends_on_organisation_source_and_id(organisation: str, source: str, id: str) -> None:
    event = an_event(organisationid=organisation, source=source, id=id)

    moved = [
        an_event(organisationid=organisation + "x", source=source, id=id) if len(organisation) < 128 else None,
        an_event(organisationid=organisation, source=source + "x", id=id),
        an_event(organisationid=organisation, source=source, id=id + "x") if len(id) < 128 else None,
    ]

    assert event.key == an_event(organisationid=organisation, source=source, id=id, data={"today": "x"}).key
    assert event.key not in {other.key for other in moved if other is not None}
