"""Reading a request: each refusal names the event's place, the field, and the limit that was passed."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.registry import PLATFORM_TYPES, parse_json
from services.gateway.auth import Caller, Role
from services.gateway.intake import EVENT_BATCH, JSON, ONE_EVENT, Reading, RefusedField, read_body, read_events
from services.gateway.problems import MediaTypeUnknown, RequestInvalid
from tests.unit.contracts.examples import changed, recorded, without
from tests.unit.shared.given import NOW

BACKEND = Caller("harbour", "acme", frozenset({Role.BACKEND}))
ADA = Caller("ada", "acme")
MOST = 5_000


def mine(**attributes: Any) -> dict[str, Any]:
    return changed("checkin.submitted", organisationid="acme", userid="ada", **attributes)


def read(*values: Any, caller: Caller = BACKEND, most: int = MOST) -> Reading:
    return read_events(values, caller, most, NOW)


def refusal(*values: Any, caller: Caller = BACKEND) -> RefusedField:
    (refused,) = read(*values, caller=caller).refused
    return refused


@pytest.mark.parametrize("media_type", [ONE_EVENT, JSON, "", "Application/CloudEvents+JSON; charset=utf-8"])
def test_one_event_is_a_list_of_one(media_type: str) -> None:
    assert read_body(b'{"id": "a"}', media_type) == [{"id": "a"}]


@pytest.mark.parametrize("media_type", [EVENT_BATCH, JSON])
def test_a_batch_is_its_list(media_type: str) -> None:
    assert read_body(b'[{"id": "a"}, 2]', media_type) == [{"id": "a"}, 2]
    assert read_body(b"[]", media_type) == []


@pytest.mark.parametrize(("body", "media_type"), [(b"[]", ONE_EVENT), (b"{}", EVENT_BATCH)])
def test_a_body_that_is_not_what_its_type_says_is_refused(body: bytes, media_type: str) -> None:
    with pytest.raises(RequestInvalid, match=f"The body of '{media_type}' must be a".replace("+", r"\+")):
        read_body(body, media_type)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 2_000, b"NaN"])
def test_a_body_that_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(RequestInvalid, match="The body is not JSON") as raised:
        read_body(body, JSON)

    assert raised.value.facts == {"errors": [{"code": "not_json"}]}


def test_a_type_that_is_not_read_is_named_with_those_that_are() -> None:
    with pytest.raises(MediaTypeUnknown, match=r"not 'text/xml'") as raised:
        read_body(b"<event/>", "text/xml; charset=utf-8")

    assert ONE_EVENT in raised.value.message
    assert EVENT_BATCH in raised.value.message


def test_good_events_are_read_beside_bad_ones() -> None:
    reading = read(mine(id="a"), {"type": "checkin.submitted"}, mine(id="c"))

    assert [(each.index, each.event.id) for each in reading.readable] == [(0, "a"), (2, "c")]
    assert {refused.index for refused in reading.refused} == {1}


def test_what_is_read_is_stored_as_it_will_be_published() -> None:
    (readable,) = read(mine()).readable

    event = parse_json(readable.event.json.encode())
    assert (event.organisationid, event.key) == ("acme", readable.event.key)
    assert (readable.event.user, readable.event.accepted_at) == ("ada", NOW)


@pytest.mark.parametrize("given_organisation", [{}, {"organisationid": None}])
def test_an_event_that_names_no_organisation_is_of_the_callers(given_organisation: dict[str, None]) -> None:
    value = without("checkin.submitted", "organisationid") | {"userid": "ada"} | given_organisation

    (readable,) = read(value).readable

    assert readable.event.organisation == "acme"


@pytest.mark.parametrize(
    ("value", "code", "field", "limit"),
    [
        (mine(data={"mood": "m" * 501}), "invalid_event.too_long", "data.mood", 500),
        (mine(id="i" * 129), "invalid_event.too_long", "id", 128),
        (mine(id=""), "invalid_event.too_short", "id", 1),
        (mine(data={"humour": "calm"}), "invalid_event.unknown_field", "data.humour", None),
        (mine(data={"date": "yesterday"}), "invalid_event.wrong_type", "data.date", None),
        (without("checkin.submitted", "userid"), "invalid_event.missing", "userid", None),
        (without("checkin.submitted", "type"), "invalid_event.missing", "type", None),
        (mine(specversion="0.3"), "invalid_event.not_allowed", "specversion", "'1.0'"),
        (mine(type="checkin.eaten"), "unknown_event_type.unknown_type", "type", None),
        (mine(dataversion="2"), "unknown_event_type.unknown_version", "dataversion", "1"),
        (recorded("checkin.submitted"), "not_allowed.not_allowed", "organisationid", None),
        (mine(traceparent="t" * 1_025), "invalid_event.too_long", "traceparent", 1_024),
        ("an event", "invalid_event.wrong_type", "", None),
        (None, "invalid_event.wrong_type", "", None),
        ([mine()], "invalid_event.wrong_type", "", None),
    ],
)
def test_a_refusal_names_place_field_and_limit(value: Any, code: str, field: str, limit: Any) -> None:
    refused = refusal(mine(id="good"), value)

    assert (refused.index, refused.code, refused.field, refused.limit) == (1, code, field, limit)
    assert refused.message


def test_an_event_of_too_many_bytes_is_refused_with_the_most_there_may_be() -> None:
    refused = refusal(mine(data={"text": "ü" * 2_400}))

    assert (refused.code, refused.field, refused.limit) == ("event_too_large.too_large", "", MOST)
    assert f"the most is {MOST}" in refused.message


def test_an_event_of_exactly_the_most_bytes_is_read() -> None:
    size = len(parse_json(orjson.dumps(mine())).to_json())

    assert read(mine(), most=size).refused == []
    assert len(read(mine(), most=size - 1).refused) == 1


def test_every_wrong_field_is_named_not_only_the_first() -> None:
    reading = read(mine(id="", data={"date": "no", "mood": 3}))

    assert [refused.field for refused in reading.refused] == ["id", "data.date", "data.mood"]


@pytest.mark.parametrize("type", sorted(PLATFORM_TYPES))
def test_only_towpath_says_what_happened_to_runs_and_schedules(type: str) -> None:
    refused = refusal(recorded(type) | {"organisationid": "acme"})

    assert (refused.code, refused.field) == ("not_allowed.not_allowed", "type")


def test_another_organisation_is_refused_without_telling_whether_it_exists() -> None:
    refused = refusal(mine() | {"organisationid": "other"})

    assert refused.field == "organisationid"
    assert refused.message == "Your token is for organisation 'acme', not 'other'."


@pytest.mark.parametrize("attributes", [{"userid": "bob"}, {"type": "doc.created", "userid": None}])
def test_a_plain_user_speaks_for_itself_alone(attributes: dict[str, Any]) -> None:
    value = changed(attributes.get("type", "checkin.submitted"), organisationid="acme") | attributes

    assert refusal(value, caller=ADA).field == "userid"
    assert read(mine(), caller=ADA).refused == []


@pytest.mark.parametrize("id", ["a", None, 7])
def test_the_id_is_repeated_when_it_is_one(id: object) -> None:
    refused = read(mine() | {"id": id, "specversion": "2"}).refused

    assert {each.id for each in refused} == {"a" if id == "a" else None}


@given(values=st.lists(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists, max_leaves=3)))
def test_every_event_is_either_read_or_refused(values: list[Any]) -> None:
    reading = read(*values)

    assert {refused.index for refused in reading.refused} == set(range(len(values)))
