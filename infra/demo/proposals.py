"""The proposals that came of a demo, and whether every finished run has got all of its own."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from time import monotonic

from contracts.agents import EffectKind
from infra.demo.client import Client, Json
from infra.demo.observation import Run
from infra.demo.script import Person

PATIENCE_SECONDS = 10.0
POLL_SECONDS = 0.2
AT_A_TIME = 10


@dataclass(frozen=True, slots=True)
class Inboxes:
    """Every person's proposals of this demo; `short` says which runs asked for more than there is."""

    by_person: Mapping[Person, list[Json]]
    short: tuple[str, ...] = ()

    @property
    def kinds(self) -> Counter[str]:
        """How many there are of each kind."""
        return Counter(each["kind"] for proposals in self.by_person.values() for each in proposals)


async def collect(clients: Mapping[str, Client], runs: Iterable[Run]) -> Inboxes:
    """Return the proposals of these runs, waiting a little for those that are still being written."""
    finished = [run for run in runs if run.status == "completed" and run.user is not None]
    asked_for = await _effects(clients, finished)
    give_up_at = monotonic() + PATIENCE_SECONDS
    while True:
        by_person = await _proposals(clients, finished)
        there = Counter(proposal["run_id"] for proposals in by_person.values() for proposal in proposals)
        short = [
            f"{run_id} asked for {n} proposals, {there[run_id]} are there"
            for run_id, n in asked_for.items()
            if there[run_id] != n
        ]
        if not short or monotonic() > give_up_at:
            return Inboxes(by_person, tuple(short))
        await asyncio.sleep(POLL_SECONDS)


async def _effects(clients: Mapping[str, Client], runs: list[Run]) -> dict[str, int]:
    """Return for each run how many of its effects must have become proposals."""
    wanted: dict[str, int] = {}
    for start in range(0, len(runs), AT_A_TIME):
        some = runs[start : start + AT_A_TIME]
        details = await asyncio.gather(*(clients[run.organisation].run(run.id) for run in some))
        wanted |= {each["id"]: sum(map(_is_proposal, each["effects"])) for each in details}
    return wanted


def _is_proposal(effect: Json) -> bool:
    # A message goes into its session at once: nobody decides about it.
    return effect["dropped"] is None and effect["kind"] != EffectKind.SESSION_MESSAGE


async def _proposals(clients: Mapping[str, Client], runs: list[Run]) -> dict[Person, list[Json]]:
    ids = {run.id for run in runs}
    people = dict.fromkeys(Person(run.organisation, run.user) for run in runs if run.user is not None)
    return {
        person: [each async for each in clients[person.organisation].proposals(person.user) if each["run_id"] in ids]
        for person in people
    }
