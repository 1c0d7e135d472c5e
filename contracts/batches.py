"""Many users at once: one run that has a run for each of them."""

from typing import Annotated

from pydantic import Field

from contracts.envelope import EventData, Identifier

MOST_USERS = 5_000
MOST_AT_A_TIME = 1_000

BatchSize = Annotated[int, Field(ge=1, le=MOST_AT_A_TIME)]
"""How many runs of a batch are open at a time."""


class BatchWanted(EventData):
    """For whom an Agent is to run, and for how many of them at a time."""

    users: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=MOST_USERS)]
    size: BatchSize
