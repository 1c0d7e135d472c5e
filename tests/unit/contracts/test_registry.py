"""From JSON to an event, and the errors on the way."""

from typing import Any

import orjson
import pytest

from contracts.checkins import CheckinSubmitted
from contracts.envelope import IDENTIFIER_LENGTH, Event
from contracts.registry import (
    EVENT_TYPES,
    PLATFORM_TYPES,
    FieldCode,
    FieldError,
    InvalidEvent,
    UnknownEventType,
    UnknownEventVersion,
    parse,
    parse_json,
)
from tests.unit.contracts.examples import Attributes, changed, recorded, without


def refused(value: Attributes) -> tuple[FieldError, ...]:
    with pytest.raises(InvalidEvent) as caught:
        parse(value)
    return caught.value.errors


def only(value: Attributes) -> FieldError:
    (error,) = refused(value)
    return error


@pytest.mark.parametrize(("type_", "version"), EVENT_TYPES)
def test_recorded_example_goes_round_unchanged(type_: str, version: str) -> None:
    example = recorded(type_, version)

    event = parse_json(orjson.dumps(example))

    assert type(event) is EVENT_TYPES[type_, version]
    assert orjson.loads(event.to_json()) == example


def test_types_are_a_noun_and_a_verb_in_the_past() -> None:
    nouns = {type_.split(".")[0] for type_, _ in EVENT_TYPES}

    told = {
        "checkin",
        "doc",
        "chat",
        "ticket",
        "snapshot",
        "roadmap",
        "job",
        "member",
        "schedule",
        "run",
        "agent",
        "user",
        "messages",
        "proposal",
        "session",
    }
    assert nouns == told
    assert all(len(type_.split(".")) == 2 for type_, _ in EVENT_TYPES)


def test_runs_schedules_behaviour_manual_runs_and_approvals_are_told_by_the_platform_only() -> None:
    own = {"run", "schedule", "agent", "user", "messages", "proposal"}
    assert {type_.split(".")[0] for type_ in PLATFORM_TYPES} == own
    assert {type_ for type_, _ in EVENT_TYPES if type_.split(".")[0] in own} == PLATFORM_TYPES


def test_event_made_in_python_needs_no_type_or_version() -> None:
    event = CheckinSubmitted(
        id="checkin-1",
        source="/backend",
        organisationid="acme",
        projectid="app",
        userid="mara",
        data={"date": "2026-11-20", "text": "All well."},
    )

    assert parse_json(event.to_json()) == event


def test_unknown_type_suggests_the_one_that_was_meant() -> None:
    with pytest.raises(UnknownEventType) as caught:
        parse(changed("checkin.submitted", type="checkin.submited"))

    assert caught.value.suggestions[0] == "checkin.submitted"
    (error,) = caught.value.errors
    assert (error.field, error.code) == ("type", FieldCode.UNKNOWN_TYPE)
    assert "'checkin.submited'" in error.message
    assert "'checkin.submitted'" in error.message


def test_very_long_type_is_refused_in_few_words() -> None:
    with pytest.raises(UnknownEventType) as caught:
        parse(changed("checkin.submitted", type="x" * 100_000))

    assert len(str(caught.value)) < 300


def test_unknown_version_names_the_known_ones() -> None:
    with pytest.raises(UnknownEventVersion) as caught:
        parse(changed("checkin.submitted", dataversion="7"))

    (error,) = caught.value.errors
    assert (error.field, error.code, error.limit) == ("dataversion", FieldCode.UNKNOWN_VERSION, "1")


@pytest.mark.parametrize(
    "name", ["id", "source", "type", "specversion", "organisationid", "projectid", "userid", "data"]
)
def test_missing_attribute_is_named(name: str) -> None:
    error = only(without("checkin.submitted", name))

    assert error == FieldError(name, FieldCode.MISSING, f"'{name}' is missing.")


@pytest.mark.parametrize("name", ["projectid", "time", "subject", "dataversion", "datacontenttype", "traceparent"])
def test_null_counts_as_left_out(name: str) -> None:
    assert parse(changed("member.joined", **{name: None})) == parse(without("member.joined", name))


@pytest.mark.parametrize(("type_", "version"), EVENT_TYPES)
def test_unknown_field_of_the_data_is_named(type_: str, version: str) -> None:
    error = only(changed(type_, dataversion=version, data={"txet": "?"}))

    assert (error.field, error.code) == ("data.txet", FieldCode.UNKNOWN_FIELD)


@pytest.mark.parametrize(
    ("value", "field", "code", "limit"),
    [
        (changed("checkin.submitted", data={"text": "x" * 100_001}), "data.text", FieldCode.TOO_LONG, 100_000),
        (changed("checkin.submitted", data={"today": "x" * 20_001}), "data.today", FieldCode.TOO_LONG, 20_000),
        (changed("checkin.submitted", data={"text": 5}), "data.text", FieldCode.WRONG_TYPE, None),
        (changed("checkin.submitted", data={"date": "20th"}), "data.date", FieldCode.WRONG_TYPE, None),
        (changed("checkin.submitted", id="x" * 129), "id", FieldCode.TOO_LONG, IDENTIFIER_LENGTH),
        (changed("checkin.submitted", source=""), "source", FieldCode.TOO_SHORT, 1),
        (changed("checkin.submitted", time="2026-11-20T10:00:00"), "time", FieldCode.INVALID, None),
        (changed("checkin.submitted", specversion="0.3"), "specversion", FieldCode.NOT_ALLOWED, "'1.0'"),
        (changed("checkin.submitted", type=7), "type", FieldCode.WRONG_TYPE, None),
        (changed("checkin.submitted", dataversion=1), "dataversion", FieldCode.WRONG_TYPE, None),
        (recorded("checkin.submitted") | {"data": "text"}, "data", FieldCode.WRONG_TYPE, None),
        (changed("doc.created", data={"revision": 0}), "data.revision", FieldCode.TOO_SMALL, 1),
        (changed("doc.created", data={"revision": 2**40}), "data.revision", FieldCode.TOO_LARGE, 2**31 - 1),
        (changed("member.joined", data={"timezone": "Mars/Base"}), "data.timezone", FieldCode.INVALID, None),
        (changed("member.joined", data={"roles": ["r"] * 51}), "data.roles", FieldCode.TOO_LONG, 50),
        (changed("chat.turn_completed", data={"messages": []}), "data.messages", FieldCode.TOO_SHORT, 1),
    ],
    ids=str,
)
def test_wrong_field_is_named_with_its_limit(value: Attributes, field: str, code: FieldCode, limit: object) -> None:
    error = only(value)

    assert (error.field, error.code, error.limit) == (field, code, limit)
    assert field in error.message


def test_wrong_entry_of_a_list_is_named_by_its_place_and_told_once() -> None:
    error = only(changed("chat.turn_completed", data={"messages": [{"role": "bot", "text": "Hello"}]}))

    assert (error.field, error.code) == ("data.messages.0.role", FieldCode.NOT_ALLOWED)
    assert "'assistant'" in str(error.limit)


def test_all_wrong_fields_are_told_at_once() -> None:
    errors = refused(changed("checkin.submitted", id="", data={"text": 5, "txet": ""}))

    assert {error.field for error in errors} == {"id", "data.text", "data.txet"}


def test_thousands_of_wrong_fields_are_told_in_part() -> None:
    errors = refused(changed("checkin.submitted", data={f"field{number}": "" for number in range(5_000)}))

    assert len(errors) == 20


@pytest.mark.parametrize(
    ("raw", "code"), [(b'{"id":', FieldCode.NOT_JSON), (b"\xff", FieldCode.NOT_JSON), (b"[]", FieldCode.WRONG_TYPE)]
)
def test_what_is_no_json_object_is_refused(raw: bytes, code: FieldCode) -> None:
    with pytest.raises(InvalidEvent) as caught:
        parse_json(raw)

    assert [error.code for error in caught.value.errors] == [code]


@pytest.mark.parametrize("value", ["a", "Åsa 山田", "x y", "👩‍🚀", "a.b*c>d", "x" * IDENTIFIER_LENGTH])
def test_ids_of_any_script_are_kept(value: str) -> None:
    event = parse(changed("checkin.submitted", id=value, organisationid=value))

    assert (event.id, event.organisationid) == (value, value)


@pytest.mark.parametrize("value", [" a", "a ", " ", "a\nb", "a\x00", "a\u2028b", "\u202ea", "a\x85"])
def test_unprintable_ids_are_refused(value: str) -> None:
    error = only(changed("checkin.submitted", organisationid=value))

    assert (error.field, error.code) == ("organisationid", FieldCode.INVALID)


@pytest.mark.parametrize("value", ["00-4bf9-01", 7, True])
def test_extension_attributes_are_kept(value: str | int | bool) -> None:
    event = parse(changed("checkin.submitted", custom1=value))

    kept = orjson.loads(event.to_json())["custom1"]
    assert kept == value
    assert type(kept) is type(value)


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("userId", "mara", FieldCode.BAD_NAME),
        ("user_id", "mara", FieldCode.BAD_NAME),
        ("data_base64", "YQ==", FieldCode.BAD_NAME),
        ("custom", 1.5, FieldCode.WRONG_TYPE),
        ("custom", ["a"], FieldCode.WRONG_TYPE),
        ("custom", {"a": 1}, FieldCode.WRONG_TYPE),
        ("custom", 2**31, FieldCode.WRONG_TYPE),
        ("custom", "x" * 1_025, FieldCode.TOO_LONG),
    ],
)
def test_wrong_extension_attribute_is_named_once(name: str, value: Any, code: FieldCode) -> None:
    error = only(changed("checkin.submitted", **{name: value}))

    assert (error.field, error.code) == (name, code)


def test_key_differs_between_organisations_and_not_between_deliveries() -> None:
    def key(**attributes: Any) -> str:
        return parse(changed("checkin.submitted", **attributes)).key

    assert key() == key(time="2026-11-21T00:00:00Z")
    assert len({key(), key(organisationid="other"), key(source="/other"), key(id="other")}) == 4


def test_events_cannot_be_changed() -> None:
    event: Event = parse(recorded("checkin.submitted"))

    with pytest.raises(ValueError, match="frozen"):
        event.id = "other"  # type: ignore[misc]  # that is what is tested
