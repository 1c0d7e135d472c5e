"""The end of a demo: one inbox, one approval, one that was stale, the figures, and what is missing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import aiohttp
from rich.console import Console
from rich.text import Text

from infra.demo.chat import continued
from infra.demo.client import Client, GatewayRefused, Json
from infra.demo.coaching import CHECKIN_PROCESSOR, latest_of
from infra.demo.inbox import block_of, block_table, inbox_table, owner_of_inbox, place, to_approve
from infra.demo.progress import Progress
from infra.demo.proposals import Inboxes, collect
from infra.demo.rebasing import rebased_and_undone
from infra.demo.script import Person, Script
from infra.demo.summary import Elapsed, summary, verdict


@dataclass(frozen=True, slots=True)
class Ending:
    """Shows what came of a script; `person` gives the client with which a user acts."""

    script: Script
    progress: Progress
    backends: Mapping[str, Client]
    person: Callable[[Person], Client]
    console: Console

    async def show(self, elapsed: Elapsed) -> bool:
        """Print everything and return whether nothing is missing."""
        inboxes = Inboxes({})
        try:
            inboxes = await collect(self.backends, self.progress.started_runs)
            await self._show_inbox(inboxes)
            await self._show_more(inboxes)
        except (aiohttp.ClientError, TimeoutError, GatewayRefused) as error:
            self.progress.troubles.append(f"the inbox could not be shown: {error or type(error).__name__}")
        missing = [*self.progress.missing(), *inboxes.short]
        self.console.print(Text(), summary(self.progress, inboxes.kinds, elapsed), Text(), sep="\n")
        self.console.print(verdict(missing), soft_wrap=True)
        return not missing

    async def _show_inbox(self, inboxes: Inboxes) -> None:
        owner = owner_of_inbox(self.script.inbox, inboxes.by_person)
        proposals = [] if owner is None else inboxes.by_person.get(owner, [])
        if owner is None or not proposals:
            self.console.print("\nNo Agent proposed anything.")
            return
        self.console.print(Text(), inbox_table(owner, proposals), sep="\n")
        proposal = to_approve(proposals, self.script.edit)
        if proposal is None:
            self.console.print("\nNone of them is a memory diff, so there is nothing to approve here.")
            return
        await self._approve(owner, proposal)

    async def _show_more(self, inboxes: Inboxes) -> None:
        """Show what a script has besides: a stale proposal, a chat that went on, an answer that rests on a document."""
        owner = owner_of_inbox(self.script.inbox, inboxes.by_person)
        if owner is None:
            return
        if self.script.edit is not None:
            self.console.print(Text(), await rebased_and_undone(self.person(owner), self.script.edit), sep="\n")
        if self.script.session is not None:
            self.console.print(Text(), continued(await self.person(owner).session(self.script.session)), sep="\n")
        if self.script.coached is not None:
            await self._show_coaching(self.script.coached)

    async def _show_coaching(self, person: Person) -> None:
        run = latest_of(self.progress.started_runs, CHECKIN_PROCESSOR, person)
        if run is None:
            self.progress.troubles.append(f"no check-in of {person.user} was processed")
            return
        shown = await self.backends[person.organisation].run(run.id)
        self.console.print(Text(), Text(f"Coaching for {person.user}, who asked what is written:", "bold"), sep="\n")
        self.console.print(Text(shown["output"]["coaching"]))

    async def _approve(self, owner: Person, proposal: Json) -> None:
        approved = await self.person(owner).approve(proposal["id"])
        blocks = await self.backends[owner.organisation].memory(
            owner.user, approved["project"], approved["block_label"]
        )
        block = block_of(blocks, approved)
        if block is None:
            version = f"version {approved['applied_version']} of block '{approved['block_label']}'"
            self.progress.troubles.append(f"{owner.user} approved {approved['id']}, but {version} is not in the memory")
            return
        what = place(approved).replace("\n", " ")
        self.console.print(f"\n{owner.user} approves: {what}\n", markup=False, highlight=False)
        self.console.print(block_table(block, approved))
