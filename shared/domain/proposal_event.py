"""What is told of a proposal's life: the event under which an approved change goes to the product."""

from typing import Any

from contracts.proposals import ProposalApproved, ProposalApprovedData

SOURCE = "/towpath/proposals"

_SAME = ("kind", "title", "change", "reasoning", "confidence", "run_id", "event_key", "agent_key", "agent_version")


def approved_event(proposal: dict[str, Any]) -> ProposalApproved:
    """Return the event of an approved proposal, as it is stored; the same proposal gives the same event."""
    return ProposalApproved(
        id=f"{proposal['_id']}:approved",
        source=SOURCE,
        time=proposal["decided_at"],
        organisationid=proposal["organisation"],
        projectid=proposal["project"],
        userid=proposal["user"],
        data=ProposalApprovedData(
            proposal_id=proposal["_id"],
            **{name: proposal[name] for name in _SAME},
            ticket_ids=tuple(proposal.get("ticket_ids", ())),
            evidence=proposal.get("evidence", ()),
            approved_by=proposal["decided_by"],
            approved_at=proposal["decided_at"],
            decision_reason=proposal["decision_reason"],
        ),
    )
