"""People start Agents by hand; only Towpath itself publishes this, once it has checked that they may."""

from typing import Any, Literal

from contracts.batches import BatchWanted
from contracts.envelope import Event, EventData, Identifier
from contracts.fields import Word


class ManualTarget(EventData):
    """What the run is to work on."""

    type: Word
    id: Identifier


class AgentExecuteRequestedData(EventData):
    """Which Agent is to run. Without a target, the request is a target of its own; `input` is what the Agent is given.

    With a `batch` there is one run that has a run for each of its users.
    """

    agent_key: Identifier
    requested_by: Identifier
    target: ManualTarget | None = None
    input: dict[str, Any] | None = None
    batch: BatchWanted | None = None


class AgentExecuteRequested(Event):
    """Somebody asked for a run of one Agent, for the project and user that the envelope names."""

    type: Literal["agent.execute_requested"] = "agent.execute_requested"
    dataversion: Literal["1"] = "1"
    data: AgentExecuteRequestedData
