"""Where messages stand in their rows."""

import pytest

from contracts.behaviour import MessagesTrigger
from shared.domain.counting import Place, Subject, SubjectMissing, Tally, counted_id, subject_of
from tests.unit.shared.given import an_event


def trigger(**changes: object) -> MessagesTrigger:
    return MessagesTrigger.model_validate({"count": 3, "target": {"type": "user", "id": "{userid}"}} | changes)


def test_messages_are_numbered_in_rows() -> None:
    tally = Tally(count=3, base=0, total=7, keys=["d", "e", "f", "g"])

    assert [tally.place(key) for key in "defg"] == [Place(1, 3, 4), Place(2, 3, 5), Place(3, 3, 6), Place(1, 3, 7)]
    assert [place.is_last for key in "efg" if (place := tally.place(key))] == [False, True, False]


def test_what_was_counted_for_rows_of_another_length_or_long_ago_has_no_place() -> None:
    tally = Tally(count=2, base=4, total=6, keys=["c", "d", "e", "f"])

    assert [tally.place(key) for key in "adef"] == [None, None, Place(1, 2, 5), Place(2, 2, 6)]


def test_rows_are_counted_for_the_user_or_for_each_session() -> None:
    event = an_event("chat.turn_completed", organisationid="acme", projectid="apollo", userid="ada")

    of_user = subject_of(trigger(), "noter", event)
    of_session = subject_of(trigger(per="session"), "noter", event)

    assert of_user == Subject("noter", "acme", "apollo", "ada", None)
    assert of_session == Subject("noter", "acme", "apollo", "ada", "chat-51c2")
    assert of_user.id != of_session.id != Subject("noter", "acme", "chat-51c2", "ada", "apollo").id


def test_who_is_to_be_counted_must_be_named() -> None:
    with pytest.raises(SubjectMissing, match="userid"):
        subject_of(trigger(event="doc.updated"), "noter", an_event("doc.updated", userid=None))


def test_each_full_row_has_an_id_of_its_own() -> None:
    subject = Subject("noter", "acme", None, "ada", None)

    assert counted_id(subject, Place(3, 3, 3)) != counted_id(subject, Place(3, 3, 6))
    assert counted_id(subject, Place(3, 3, 6)) == counted_id(subject, Place(2, 2, 6))
