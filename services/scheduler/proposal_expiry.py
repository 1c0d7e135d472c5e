"""Ends proposals that nobody has decided in their time, so that an Inbox does not fill up for ever."""

from dataclasses import dataclass

import structlog

from services.scheduler.leader import Leader
from shared.clock import Clock
from shared.store.proposals import ProposalStore

log = structlog.get_logger()

_BATCH = 500
_LOOK_EVERY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class ProposalExpiry:
    """Looks while this process leads; two that look at once end each proposal once."""

    proposals: ProposalStore
    leader: Leader
    clock: Clock

    async def run(self) -> None:
        """Look until cancelled."""
        await self.leader.keep_doing("proposal_expiry", self.look, _LOOK_EVERY_SECONDS)

    async def look(self) -> int:
        """End what is over by now, a batch at a time; return how many proposals that were."""
        now, expired = self.clock(), 0
        while count := await self.proposals.expire(now, _BATCH):
            expired += count
        if expired:
            log.info("proposals.expired", count=expired)
        return expired
