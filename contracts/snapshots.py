"""What happens to snapshots."""

from typing import Literal

from contracts.envelope import Event, EventData, Identifier
from contracts.fields import Answer, Day, Title


class SnapshotRequestedData(EventData):
    """The snapshot to draft: the days it covers, and what it should pay attention to."""

    snapshot_id: Identifier
    title: Title = ""
    period_start: Day
    period_end: Day
    instructions: Answer = ""


class SnapshotRequested(Event):
    """Somebody asked for a snapshot of a project."""

    type: Literal["snapshot.requested"] = "snapshot.requested"
    dataversion: Literal["1"] = "1"
    projectid: Identifier
    data: SnapshotRequestedData
