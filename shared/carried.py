"""What the gate's dispatch carries: a run and its event as they were just stored, so that a runner need not read them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import bson
import bson.errors
import structlog
from bson.codec_options import CodecOptions

from shared.store.upcast import RUN_SCHEMA, upcast_run

log = structlog.get_logger()

Document = dict[str, Any]

MOST_BYTES = 32_768
"""A larger event is read when it is wanted: what waits in the queue stays small."""
_OPTIONS: CodecOptions[Document] = CodecOptions(tz_aware=True, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Carried:
    """A run as it was queued, and of its event what a runner needs, once its decisions were recorded."""

    run: Document
    event: Document


def carrying(run: Document, event_json: bytes, decided_runs: Iterable[str]) -> bytes:
    """Return the body of a dispatch: empty when there would be too much in it.

    `decided_runs` are the ids of the runs that the recorded decisions on the event start.
    """
    event = {
        "_id": run["event_key"],
        "gated": True,
        "decisions": [{"run_id": run_id} for run_id in decided_runs],
        "json": event_json.decode(),
    }
    body = bson.encode({"run": run, "event": event})
    return body if len(body) <= MOST_BYTES else b""


def carried_by(bodies: Iterable[bytes]) -> dict[str, Carried]:
    """Return what these dispatches carry, by the id of the run; what cannot be read is as if it were not there."""
    found = (_read(body) for body in bodies if body)
    return {each.run["_id"]: each for each in found if each is not None}


def _read(body: bytes) -> Carried | None:
    try:
        both = bson.decode(body, _OPTIONS)
        run, event = both["run"], both["event"]
        # A newer gate's runs are left to those who know them.
        return Carried(upcast_run(run), event) if run["schema"] <= RUN_SCHEMA else None
    except (bson.errors.InvalidBSON, KeyError, TypeError) as error:
        log.warning("dispatch.unreadable", error=str(error) or type(error).__name__)
        return None
