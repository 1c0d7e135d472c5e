"""Whose a message is that the gate cannot handle: nobody sees what may be another tenant's."""

import pytest

from services.gating.dead_letters import organisation_of
from shared.messaging.delivery import Undeliverable


@pytest.mark.parametrize(
    ("subject", "payload", "organisation"),
    [
        ("event.checkin.submitted.acme", b"no event", "acme"),
        ("event.checkin.submitted.acme", b'{"organisationid": "acme"}', "acme"),
        ("event.checkin.submitted.%E6%B0%B4", b"[]", "\u6c34"),
        ("event.checkin.submitted.acme", b'{"organisationid": "harbour"}', None),
        ("event.checkin.submitted.acme", b'{"organisationid": 7}', None),
        ("event.checkin.acme", b"no event", None),
        ("event.a.b.c.acme", b"no event", None),
        ("event.checkin.submitted.%FF", b"no event", None),
    ],
    ids=[
        "its subject says",
        "both say the same",
        "encoded",
        "its content says otherwise",
        "its content says nonsense",
        "a short subject",
        "a long subject",
        "not UTF-8",
    ],
)
def test_subject_and_content_must_agree_on_the_organisation(
    subject: str, payload: bytes, organisation: str | None
) -> None:
    assert organisation_of(Undeliverable(subject, payload, "event_unreadable", "")) == organisation
