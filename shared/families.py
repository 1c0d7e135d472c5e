"""What the end of a run means for its batch, and the end of a batch for its runs. All of it may be repeated."""

from collections.abc import Iterable
from datetime import datetime

from shared.domain.run import ACTIVE, RunStatus
from shared.messaging.cancelling import tell_runners
from shared.messaging.publisher import Publisher
from shared.store.mongo import Document
from shared.store.run_ends import Cancel
from shared.store.runs import RunStore


async def end_children(runs: RunStore, publisher: Publisher, finished: Iterable[Document]) -> None:
    """Cancel what is still open of the batches among these runs that were cancelled, and tell the runners at work."""
    for parent in finished:
        cancel = parent.get("cancel")
        if parent.get("batch") is None or parent["status"] != RunStatus.CANCELLED or cancel is None:
            continue
        open_ = {"parent_id": parent["_id"], "status": {"$in": sorted(ACTIVE)}}
        wish = Cancel(cancel["requested_by"], cancel["requested_at"], cancel["reason"])
        result = await runs.cancel(open_, wish)
        await tell_runners(publisher, result.cancelling)


async def wake_parents(runs: RunStore, finished: Iterable[Document]) -> None:
    """Have the batches looked at to which these runs belong."""
    ended: dict[str, datetime] = {run["parent_id"]: run["finished_at"] for run in finished if run.get("parent_id")}
    if ended:
        await runs.wake_parents(ended, max(ended.values()))
