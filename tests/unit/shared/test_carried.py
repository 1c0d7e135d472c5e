"""What comes along with a dispatch, and when nothing does."""

import bson
import pytest

from shared.carried import MOST_BYTES, carried_by, carrying
from shared.store.run_documents import run_document
from shared.store.upcast import RUN_SCHEMA
from tests.unit.shared.given import a_new_run

RUN = run_document(a_new_run("run_1", event_key="event_1"))


def test_a_run_comes_along_as_it_is_stored_with_what_is_needed_of_its_event() -> None:
    carried = carried_by([carrying(RUN, b'{"id":"1"}', ["run_1", "run_2"]), b""])

    assert carried["run_1"].run == bson.decode(bson.encode(RUN), bson.CodecOptions(tz_aware=True))
    assert carried["run_1"].event == {
        "_id": "event_1",
        "gated": True,
        "decisions": [{"run_id": "run_1"}, {"run_id": "run_2"}],
        "json": '{"id":"1"}',
    }
    assert list(carried) == ["run_1"]


def test_a_large_event_does_not_come_along() -> None:
    fits = MOST_BYTES - len(carrying(RUN, b"", []))

    assert len(carrying(RUN, b"x" * fits, [])) == MOST_BYTES
    assert carrying(RUN, b"x" * (fits + 1), []) == b""


@pytest.mark.parametrize(
    "body",
    [
        b"no BSON",
        bson.encode({"run": RUN}),
        bson.encode({"run": {"_id": "run_1"}, "event": {}}),
        bson.encode({"run": "run_1", "event": {}}),
        bson.encode({"run": RUN | {"schema": RUN_SCHEMA + 1}, "event": {}}),
    ],
)
def test_what_this_release_cannot_read_is_as_if_it_had_not_come_along(body: bytes) -> None:
    assert carried_by([body]) == {}
