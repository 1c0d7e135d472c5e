"""Whom a trigger serves."""

import pytest
from pydantic import TypeAdapter, ValidationError

from contracts.filters import MemberFilter
from shared.domain.serving import serves

CHECKED: TypeAdapter[str] = TypeAdapter(MemberFilter)
ADA = ("acme", "apollo", "ada", "Europe/Berlin")


@pytest.mark.parametrize(
    ("user_filter", "is_served"),
    [
        ("all", True),
        ("member.project == 'apollo'", True),
        ("member.project in ['gemini']", False),
        ("member.timezone.startsWith('Europe/') && member.user != 'bob'", True),
        ("size(member.organisation) > 10", False),
    ],
)
def test_the_expression_says_who_is_served(user_filter: str, is_served: bool) -> None:
    assert serves(CHECKED.validate_python(user_filter), *ADA) is is_served


def test_whom_it_fails_on_is_not_served_and_who_is_in_no_project_has_an_empty_one() -> None:
    assert serves("int(member.user) > 3", *ADA) is False
    assert serves("member.project == ''", "acme", None, "ada", "UTC") is True


@pytest.mark.parametrize(
    ("user_filter", "told"),
    [
        ("everybody", "'everybody' is not known; an expression may name 'member'"),
        ("event.userid == 'ada'", "'event' is not known"),
        ("member.role == 'coach'", "a member has no 'role'; there are organisation, project, user, timezone"),
        ("member.user", "it gives str, not true or false"),
        ("member.project ==", "it is no CEL expression"),
        ("member['team'] == 'a'", "it fails on a member"),
        ("member.user ==\n'a'", "pattern"),
    ],
)
def test_what_is_wrong_is_told_when_the_agent_is_written(user_filter: str, told: str) -> None:
    with pytest.raises(ValidationError) as caught:
        CHECKED.validate_python(user_filter)

    assert told in str(caught.value)
