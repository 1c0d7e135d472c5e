"""What comes after a run's end was committed: effects are projected, a failure is kept for a person, the end is told."""

import asyncio
from collections.abc import Sequence

from shared.admission import Admission
from shared.domain.dead_letter import letters_of_failures
from shared.domain.projection import proposals_of
from shared.domain.run_event import run_events
from shared.families import end_children, wake_parents
from shared.follow_ups import FollowUps
from shared.messaging.publisher import Publisher
from shared.store.dead_letters import DeadLetterStore
from shared.store.mongo import Document
from shared.store.proposals import ProposalStore
from shared.store.runs import RunStore


class Aftermath:
    """Repeatable: the runner does it after its commit, and the sweep when a crash fell between."""

    def __init__(
        self,
        runs: RunStore,
        proposals: ProposalStore,
        dead_letters: DeadLetterStore,
        follow_ups: FollowUps,
        admission: Admission,
        publisher: Publisher,
    ) -> None:
        self._runs = runs
        self._proposals = proposals
        self._dead_letters = dead_letters
        self._follow_ups = follow_ups
        self._admission = admission
        self._publisher = publisher

    async def follow(self, finished: Sequence[Document], *, may_be_told: bool = False) -> bool:
        """Project, tell and note; return false when the ends could not be told, and stay due for the sweep.

        `may_be_told`: perhaps they were, and so long ago that the stream would take them a second time.
        """
        is_told = await self.tell(finished, may_be_told=may_be_told)
        if is_told:
            await self.note(finished)
        return is_told

    async def tell(self, finished: Sequence[Document], *, may_be_told: bool = False) -> bool:
        """Project effects, keep failures as dead letters, end the runs of cancelled batches, let others in, tell.

        Return whether all was confirmed.
        """
        await asyncio.gather(
            self._proposals.project([proposal for run in finished for proposal in proposals_of(run)]),
            self._dead_letters.keep(letters_of_failures(finished)),
            self._follow_ups.project(finished),
            self._admission.leave_narrow(finished),
            end_children(self._runs, self._publisher, finished),
        )
        messages = run_events(finished)
        if may_be_told:
            messages = await self._publisher.untold(messages)
        return await self._publisher.run_events_confirmed(messages)

    async def leave(self, waiting: Sequence[Document]) -> None:
        """Let others in for runs that wait again."""
        await self._admission.leave(waiting)

    async def note(self, finished: Sequence[Document]) -> None:
        """Let others of their organisations in, and note that nothing is left to do: else the sweep would do it again."""
        await self._admission.leave_large(finished)
        await wake_parents(self._runs, finished)
        await self._runs.settle(run["_id"] for run in finished)
