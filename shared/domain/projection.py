"""What follows from a committed run: its effects as proposals, in the form in which they are stored."""

from typing import Any

from contracts.agents import EffectKind
from shared.domain.proposal import ProposalStatus, proposal_id

Document = dict[str, Any]


def proposals_of(run: Document) -> list[Document]:
    """Return the proposals of a committed run; the same run gives the same ones, ids included."""
    return [_proposal(run, effect) for effect in run.get("effects") or () if _is_proposed(effect)]


def _is_proposed(effect: Document) -> bool:
    return effect.get("dropped") is None and effect["kind"] != EffectKind.SESSION_MESSAGE


def _proposal(run: Document, effect: Document) -> Document:
    return {
        "_id": proposal_id(run["_id"], effect["index"]),
        "run_id": run["_id"],
        "event_key": run["event_key"],
        "agent_key": run["agent_key"],
        "agent_version": run["agent_version"],
        "organisation": run["organisation"],
        "project": run["project"],
        "user": run["user"],
        "kind": effect["kind"],
        "title": effect["title"],
        "reasoning": effect["reasoning"],
        "confidence": effect["confidence"],
        "base_version": effect.get("base_version"),
        "change": effect["change"],
        "evidence": effect.get("evidence", []),
        "ticket_ids": effect.get("ticket_ids", []),
        "target": run["target"],
        "status": ProposalStatus.PENDING,
        "created_at": run["finished_at"],
        "decided_at": None,
        "decided_by": None,
        "decision_reason": None,
        "applied_version": None,
    }
