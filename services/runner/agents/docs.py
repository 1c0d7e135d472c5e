"""The handler `docs`: keeps the index of a project's documents up to date, then lets the generic Agent read the event."""

from dataclasses import dataclass
from typing import Any

from services.runner.agents.indexing import Indexed, Indexing, Text
from services.runner.agents.llm import LlmAgent
from services.runner.work import Attempt
from shared.domain.run import Done

_KIND = "doc"


@dataclass(frozen=True, slots=True)
class DocsAgent:
    """Indexes the document of an event of the types `doc.*`, or removes it, before the model is called."""

    indexing: Indexing
    agent: LlmAgent

    async def __call__(self, attempt: Attempt) -> Done:
        """Return the Agent's answer with `indexed` beside it; a replay changes no index, and has none."""
        if not _has_document(attempt):
            return await self.agent(attempt)
        indexed = (await self._indexed(attempt)).as_output()
        attempt.produced["indexed"] = indexed
        done = await self.agent(attempt)
        return Done({**done.output, "indexed": indexed}, done.effects)

    async def _indexed(self, attempt: Attempt) -> Indexed:
        data: dict[str, Any] = attempt.event["data"]
        if attempt.event["type"] == "doc.archived":
            return await self.indexing.remove(attempt, _KIND, {data["doc_id"]: data["revision"]})
        text = Text(_KIND, data["doc_id"], data["title"], data["revision"], data["text"])
        return await self.indexing.index(attempt, [text])


def _has_document(attempt: Attempt) -> bool:
    return attempt.event["type"].startswith("doc.") and attempt.run.get("replay") is None
