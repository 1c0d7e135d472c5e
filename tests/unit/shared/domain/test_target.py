"""A run's target, read from the event."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.agents import TargetRule
from shared.domain.decision import Target
from shared.domain.target import TargetMissing, target_of
from tests.unit.shared.given import IDENTIFIERS, an_event


def target_id(template: str, **attributes: object) -> str:
    return target_of(TargetRule(type="thing", id=template), an_event(**attributes)).id  # type: ignore[arg-type]  # attributes of an event


def test_the_daily_session_is_made_of_project_user_and_day() -> None:
    rule = TargetRule(type="daily_session", id="{projectid}:{userid}:{data.date}")
    event = an_event(projectid="apollo", userid="ada", data={"date": "2026-11-20"})

    assert target_of(rule, event) == Target("daily_session", "apollo:ada:2026-11-20")


@pytest.mark.parametrize(
    ("template", "id"),
    [
        ("everything", "everything"),
        ("{id}", "checkin-7f31"),
        ("{id}{id}", "checkin-7f31checkin-7f31"),
        ("a {literal {brace} {projectid", "a {literal mood {projectid"),
        ("{UPPER}-{2nd}", "{UPPER}-{2nd}"),
        ("{traceparent}", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ],
)
def test_only_names_of_fields_in_braces_are_filled_in(template: str, id: str) -> None:
    assert target_id(template, brace="mood") == id


@pytest.mark.parametrize(
    ("template", "named"),
    [
        ("{projectid}:{nothing}", "nothing"),
        ("{data.nothing}", "data.nothing"),
        ("{data.text}", "data.text"),
        ("{data.date.nothing}", "data.date.nothing"),
        ("{data.}", "data."),
    ],
)
def test_a_field_without_a_value_is_named(template: str, named: str) -> None:
    rule = TargetRule(type="thing", id=template)

    with pytest.raises(TargetMissing, match=f"^the event has no {named}$"):
        target_of(rule, an_event(data={"text": ""}))


def test_an_event_of_no_user_has_no_target_made_of_one() -> None:
    event = an_event("doc.created", userid=None)

    with pytest.raises(TargetMissing, match="the event has no userid"):
        target_of(TargetRule(type="thing", id="{userid}"), event)


@given(project=IDENTIFIERS, user=IDENTIFIERS, template=st.sampled_from(["{projectid}|{userid}", "{userid}{projectid}"]))
def test_values_are_filled_in_as_they_are_whatever_they_hold(project: str, user: str, template: str) -> None:
    expected = template.replace("{projectid}", "\0").replace("{userid}", user).replace("\0", project)

    assert target_id(template, projectid=project, userid=user) == expected


def test_braces_in_a_value_are_not_read_as_a_field() -> None:
    assert target_id("{projectid}/{userid}", projectid="{userid}", userid="{}") == "{userid}/{}"
