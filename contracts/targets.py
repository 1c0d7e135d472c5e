"""What the parts of an Agent's configuration have in common, and how a target is read from an event."""

from pydantic import BaseModel, ConfigDict, Field


class Part(BaseModel):
    """A part of a configuration: a field that is not known is an error, and nothing changes once it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TargetRule(Part):
    """How a run's target is read from the event: `id` may name fields, as in `{projectid}:{data.date}`."""

    type: str = Field(min_length=1, max_length=64)
    id: str = Field(min_length=1, max_length=256)
