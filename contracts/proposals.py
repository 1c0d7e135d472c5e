"""What people decided about proposals, told to whoever carries it out; only Towpath itself publishes these."""

from typing import Any, Literal

from contracts.effects import Evidence
from contracts.envelope import Event, EventData, Identifier
from contracts.fields import Moment, Number, Word


class ProposalApprovedData(EventData):
    """The proposal as it was approved; `change` is what its kind says, and has to be carried out by the product."""

    proposal_id: Identifier
    kind: Word
    title: str
    change: dict[str, Any]
    ticket_ids: tuple[str, ...] = ()
    reasoning: str = ""
    confidence: str
    evidence: tuple[Evidence, ...] = ()
    run_id: Identifier
    event_key: Identifier
    agent_key: Identifier
    agent_version: Number
    approved_by: Identifier
    approved_at: Moment
    decision_reason: str | None = None


class ProposalApproved(Event):
    """A person approved a proposal of any kind but a memory diff."""

    type: Literal["proposal.approved"] = "proposal.approved"
    dataversion: Literal["1"] = "1"
    data: ProposalApprovedData
