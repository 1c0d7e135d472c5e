"""How long a provider asks to be left alone."""

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.llm.retry_after import retry_after_seconds

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "2"}, 2.0),
        ({"retry-after": "0.25"}, 0.25),
        ({"retry-after": "-1"}, 0.0),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
        ({"retry-after": "Fri, 20 Nov 2026 09:01:00 GMT"}, 60.0),
        ({"retry-after": "Fri, 20 Nov 2026 08:59:00 GMT"}, 0.0),
        ({"retry-after": "Fri, 20 Nov 2026 09:01:00 -0000"}, 60.0),
        ({"retry-after": "Fri, 20 Nov 2026 10:01:00 +0100"}, 60.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
    ],
)
def test_wait_is_read_in_every_form(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_seconds(headers, NOW) == seconds


@given(st.text(), st.text())
def test_wait_is_never_negative_or_endless(said: str, milliseconds: str) -> None:
    seconds = retry_after_seconds({"retry-after": said, "retry-after-ms": milliseconds}, NOW)

    assert seconds is None or (seconds >= 0 and math.isfinite(seconds))
