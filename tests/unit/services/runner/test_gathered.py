"""What the last of several events tells of the time before all of them."""

from typing import Any

import orjson
import pytest

from services.runner.gathered import telling_what_was_before


def stored(**data: Any) -> dict[str, Any]:
    return {"_id": "ev_1", "json": orjson.dumps({"type": "doc.updated", "data": data}).decode()}


@pytest.mark.parametrize(
    ("first", "last", "shown"),
    [
        (
            stored(text="b", previous_text="a"),
            stored(text="c", previous_text="b"),
            {"text": "c", "previous_text": "a"},
        ),
        (stored(text="b", previous_text="a"), stored(text="c"), {"text": "c", "previous_text": "a"}),
        (stored(text="b"), stored(text="c", previous_text="b"), {"text": "c"}),
        (None, stored(text="c", previous_text="b"), {"text": "c"}),
    ],
)
def test_the_text_before_all_edits_is_that_before_the_first(
    first: dict[str, Any] | None, last: dict[str, Any], shown: dict[str, Any]
) -> None:
    told = telling_what_was_before(first, last)

    assert (told["_id"], orjson.loads(told["json"])) == ("ev_1", {"type": "doc.updated", "data": shown})
