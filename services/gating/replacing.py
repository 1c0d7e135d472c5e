"""Ends the runs that a fire takes the place of, as its recorded decision says; doing it again changes nothing."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog

from services.gating.arrival import Arrival
from shared.messaging.cancelling import tell_runners
from shared.messaging.publisher import Publisher
from shared.store.run_ends import Cancel
from shared.store.runs import RunStore

log = structlog.get_logger()

REQUESTED_BY = "towpath"

Record = Mapping[str, Any]


async def replace_runs(
    runs: RunStore,
    publisher: Publisher,
    decided: Mapping[str, Sequence[Record]],
    arrivals: Mapping[str, Arrival],
    now: datetime,
) -> None:
    """Ask for the end of every run that the recorded decisions replace; they are given by the keys of their events."""
    replacing = [
        (record, arrivals[key].event.id) for key, records in decided.items() for record in records if _replaces(record)
    ]
    if replacing:
        await asyncio.gather(*(_replace(runs, publisher, record, fire_id, now) for record, fire_id in replacing))


def _replaces(record: Record) -> bool:
    return bool(record.get("replaces"))


async def _replace(runs: RunStore, publisher: Publisher, record: Record, fire_id: str, now: datetime) -> None:
    cancel = Cancel(REQUESTED_BY, now, f"replaced by {fire_id}")
    result = await runs.cancel({"_id": {"$in": record["replaces"]}}, cancel)
    await tell_runners(publisher, result.cancelling)
    ended = result.cancelled + len(result.cancelling) + len(result.requeued)
    if ended:
        log.info("runs.replaced", agent=record["agent_key"], run_id=record["run_id"], by=fire_id, ended=ended)
