"""What the original of a replay had read, given to the replay again, so that only the Agent version is another."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any, Final

from services.runner.recorder import Call, Step
from shared.domain.replaying import REPLAYED_FROM
from shared.store.mongo import Document
from shared.store.steps import StepStore

READS: Final = frozenset({"memory_read", "tool_call"})

Read = tuple[str, str, str]
"""The kind of a step, the name of what was read, and the hash of what was asked."""


@dataclass(slots=True)
class Original:
    """The run that is replayed. What is asked for the second time gets what the second answer was."""

    steps: StepStore
    run_id: str
    _asked: Counter[Read] = field(default_factory=Counter)
    _recorded: dict[Read, list[Document]] | None = field(default=None, repr=False)

    def instead_of(self, kind: str, name: str, request_hash: str, call: Call) -> Call:
        """Return a call that gives what the original read, if it asked the same, and else makes this one."""
        if kind not in READS:
            return call
        read = (kind, name, request_hash)
        # Counted before anything is awaited, as steps are, so that it is the same in every attempt.
        nth, self._asked[read] = self._asked[read], self._asked[read] + 1

        async def again(step: Step) -> dict[str, Any]:
            recorded = (await self._steps_by_read()).get(read, [])
            if nth >= len(recorded):
                return await call(step)
            await step.note({REPLAYED_FROM: recorded[nth]["_id"]})
            return await self.steps.result_of(recorded[nth])

        return again

    async def _steps_by_read(self) -> dict[Read, list[Document]]:
        if self._recorded is None:
            found: dict[Read, list[Document]] = defaultdict(list)
            for step in await self.steps.of_run(self.run_id):
                if step["finished_at"] is not None:
                    found[step["kind"], step["name"], step["request_hash"]].append(step)
            self._recorded = found
        return self._recorded
