"""Everything that is over is ended in one look, however much it is."""

from typing import Any, cast

from services.scheduler.leader import Leader
from services.scheduler.proposal_expiry import ProposalExpiry
from shared.store.proposals import ProposalStore
from tests.unit.shared.given import NOW


class Inbox:
    """Proposals that are over, as many as it is told."""

    def __init__(self, over: int) -> None:
        self.over = over

    async def expire(self, now: Any, limit: int) -> int:
        assert now == NOW
        ended = min(self.over, limit)
        self.over -= ended
        return ended


async def test_a_look_ends_all_that_is_over_in_batches() -> None:
    inbox = Inbox(1_201)
    expiry = ProposalExpiry(cast("ProposalStore", inbox), cast("Leader", None), lambda: NOW)

    assert (await expiry.look(), inbox.over) == (1_201, 0)
    assert await expiry.look() == 0
