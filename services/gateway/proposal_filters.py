"""Which proposals a list is of: the parameters that every list of them has, and the query that they make."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from contracts.effects import Confidence, EffectKind
from services.gateway import cursor as cursors
from services.gateway.auth import Caller
from shared.domain.proposal import ProposalStatus

Document = dict[str, Any]

_IN_THE_CHANGE = {"block_label": "change.block_label", "field": "change.field"}
_STORED_AS = {"ticket_id": "ticket_ids", **_IN_THE_CHANGE}


class ProposalFilters(BaseModel):
    """What narrows a list of proposals. Whoever asks sees his own; the rest is for backends and admins."""

    model_config = ConfigDict(frozen=True)

    status: ProposalStatus | None = None
    kind: EffectKind | None = None
    agent_key: str | None = None
    project: str | None = None
    confidence: Confidence | None = None
    run_id: str | None = None
    ticket_id: str | None = Field(default=None, description="Only those about this ticket.")
    block_label: str | None = Field(default=None, description="Only those that change this memory block.")
    field: str | None = Field(default=None, description="Only those that change this field of a memory block.")
    user: str | None = Field(default=None, description="Another user, for backends and admins.")
    all_users: bool = Field(default=False, description="The whole organisation, for backends and admins.")
    limit: int = Field(default=50, ge=1, le=200)
    cursor: str | None = None

    def query(self, caller: Caller) -> Document:
        """Return the query for the page that is asked for; raises Forbidden, or RequestInvalid for a wrong cursor."""
        names = ("kind", "agent_key", "confidence", "run_id", "ticket_id", "block_label", "field")
        narrowed = {_STORED_AS.get(name, name): value for name in names if (value := getattr(self, name)) is not None}
        return {**self.query_of_all(caller), **narrowed, **cursors.after(self.cursor, "created_at")}

    def query_of_all(self, caller: Caller) -> Document:
        """Return the query for all pages, and for what the list could be narrowed to; raises Forbidden."""
        # Every status is named, so that the index has them in order, one after the other.
        statuses = [self.status] if self.status is not None else sorted(ProposalStatus)
        project = {} if self.project is None else {"project": self.project}
        return {**caller.whose(self.user, all_users=self.all_users), "status": {"$in": statuses}, **project}


class InboxFilters(ProposalFilters):
    """As of any list of proposals, but of those that wait for a decision."""

    status: ProposalStatus = ProposalStatus.PENDING
