"""Runs of paused Agents: they wait, and go on when nothing pauses their Agent any more."""

from dataclasses import dataclass

from shared.admission import Admission
from shared.domain.configuration import Configuration
from shared.domain.run import Waiting
from shared.store.mongo import Document
from shared.store.runs import RunStore

_BATCH = 500


@dataclass(frozen=True, slots=True)
class Paused:
    """Looks at bindings and statuses as they are now."""

    runs: RunStore
    admission: Admission
    configuration: Configuration

    def is_paused(self, run: Document) -> bool:
        """Return whether a binding, or its own status, pauses the run's Agent where the run belongs."""
        version = self.configuration.agent(run["organisation"], run["agent_key"])
        if version is None:
            return False
        effective = self.configuration.effective(version.spec, run["organisation"], run["project"], run["user"])
        return effective.waits_because is not None

    async def release(self, keys: list[str]) -> int:
        """Let go the runs that wait under these keys, of no slot, and need not any more; return how many were dispatched.

        A run that waits for a slot which is not there lost it with the database's newest writes. Those that wait for a
        session are let go by whoever knows of its turns.
        """
        released = 0
        for key in keys:
            waiting = await self.runs.waiting_under(key, _BATCH)
            ready = [run for run in waiting if self._is_ready(run)]
            released += await self.admission.release(ready)
        return released

    def _is_ready(self, run: Document) -> bool:
        what = run["waiting_for"]["what"]
        return what != Waiting.SESSION and (what != Waiting.PAUSED or not self.is_paused(run))
