"""What happens to roadmaps."""

from typing import Annotated, Literal

from pydantic import Field

from contracts.envelope import Event, EventData, Identifier
from contracts.fields import Answer, Day, Number, Title


class RoadmapRequestedData(EventData):
    """The roadmap to propose; `date` is the day whose session shows the proposals."""

    date: Day
    horizon_weeks: Number | None = None
    goals: Annotated[tuple[Title, ...], Field(max_length=50)] = ()
    instructions: Answer = ""


class RoadmapRequested(Event):
    """Somebody asked for roadmap proposals for a project."""

    type: Literal["roadmap.requested"] = "roadmap.requested"
    dataversion: Literal["1"] = "1"
    projectid: Identifier
    data: RoadmapRequestedData
