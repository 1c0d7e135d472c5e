"""What the database or JSON could not hold is refused as a wrong field."""

from datetime import UTC, datetime

import pytest
from pydantic import BaseModel, ValidationError

from services.gateway.fields import Moment, Object, Text

HALF_A_PAIR = "\ud800"


class Asked(BaseModel):
    text: Text | None = None
    moment: Moment | None = None
    object: Object | None = None


@pytest.mark.parametrize(
    "field",
    [
        {"text": HALF_A_PAIR},
        {"text": "a" * 1_001},
        {"moment": "0001-01-01T00:00:00+23:00"},
        {"moment": "9999-12-31T23:59:59-23:00"},
        {"object": {"deep": [{"text": HALF_A_PAIR}]}},
        {"object": {HALF_A_PAIR: 1}},
    ],
    ids=str,
)
def test_what_cannot_be_kept_is_refused(field: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Asked.model_validate(field)


def test_everything_else_is_taken() -> None:
    asked = Asked.model_validate({"text": "né", "object": {"a": ["né", 10**30, None]}})

    assert (asked.text, asked.object) == ("né", {"a": ["né", 10**30, None]})


@pytest.mark.parametrize("said", ["2026-11-20T10:00:00+01:00", "2026-11-20T09:00:00Z", "2026-11-20T09:00:00"])
def test_a_moment_is_in_utc(said: str) -> None:
    moment = Asked.model_validate({"moment": said}).moment

    assert moment == datetime(2026, 11, 20, 9, tzinfo=UTC)
    assert moment is not None
    assert moment.tzinfo is UTC
