"""The handler `docs` and the tool that finds what it has indexed, with steps on a real MongoDB."""

from typing import Any

import orjson
import pytest

from contracts.agents import AgentSpec, CallMode
from services.runner.agents.continuation import Continuations
from services.runner.agents.docs import DocsAgent
from services.runner.agents.indexing import Indexing, NoProject
from services.runner.agents.llm import LlmAgent
from services.runner.agents.model_calls import ModelCalls
from services.runner.agents.tool_calls import ToolCalls
from services.runner.recorder import StepRecorder
from services.runner.tools.search_documents import search_documents
from services.runner.tools.tool import stores_of
from services.runner.work import Attempt
from shared.domain.run import Claim, Done, RunStatus, Usage
from shared.llm.errors import ModelUnavailable
from shared.llm.port import ToolCall, ToolResult
from shared.store.mongo import Mongo
from shared.store.sessions import SessionStore
from shared.store.steps import StepStore
from shared.testing.embedder import WordEmbedder
from shared.testing.model import ScriptedModel, Step
from shared.testing.retrieval import MemoryRetrieval
from tests.integration.services.agents import MODELS, said
from tests.unit.shared.given import NOW, a_new_run, a_spec, a_stored_run, an_event

READER = a_spec("reader", handler="docs")
SECTIONS = [f"# {name}\n\n" + f"The {name} of the product is described here. " * 6 for name in ("Export", "Billing")]
ANSWER = "Fine."


class Desk:
    """A project's documents, and runs that read them."""

    def __init__(self, mongo: Mongo) -> None:
        self.retrieval = MemoryRetrieval(lambda: NOW)
        self.embedder = WordEmbedder()
        self.steps = StepStore(mongo.database)
        self._continuations = Continuations(SessionStore(mongo.database), lambda: NOW, 4_000)
        self._stores = stores_of(mongo.database)

    def attempt(self, run_id: str, event: str, number: int = 1, spec: AgentSpec = READER, **changes: Any) -> Attempt:
        data = {"doc_id": "d1", "title": "Guide", "revision": 1, "text": "\n\n".join(SECTIONS)} | changes
        claim = Claim(run_id, number, f"runner-{number}")
        happened = an_event(event, data=data if event.startswith("doc.") else None, projectid="apollo", userid="ada")
        return Attempt(
            claim=claim,
            run=a_stored_run(RunStatus.RUNNING, a_new_run(run_id)),
            spec=spec,
            event=orjson.loads(happened.to_json()),
            steps=StepRecorder(self.steps, claim, lambda: NOW),
        )

    async def reads(self, attempt: Attempt, *steps: Step) -> Done:
        model = ScriptedModel(*(steps or (said(ANSWER),)))
        done = await DocsAgent(Indexing(self.retrieval, self.embedder, 300, 5.0), self._agent(model))(attempt)
        model.assert_finished()
        return done

    async def asks(self, attempt: Attempt, *steps: Step) -> tuple[Done, ScriptedModel]:
        model = ScriptedModel(*steps)
        return await self._agent(model)(attempt), model

    def _agent(self, model: ScriptedModel) -> LlmAgent:
        tools = {"search_documents": search_documents(self.retrieval, self.embedder, 5.0)}
        calls = ModelCalls(model, 5.0, CallMode.PLAIN)
        return LlmAgent(calls, ToolCalls(tools, self._stores), MODELS, self._stores.memory, self._continuations)


@pytest.fixture
def desk(mongo: Mongo) -> Desk:
    return Desk(mongo)


async def test_document_is_indexed_in_steps_before_the_model_is_called(desk: Desk) -> None:
    attempt = desk.attempt("run_1", "doc.created")

    done = await desk.reads(attempt)

    assert done.output == {"text": ANSWER, "indexed": {"chunks": 2, "embedded": 2, "reused": 0, "removed": 0}}
    steps = await desk.steps.of_run("run_1")
    assert [step["kind"] for step in steps] == ["index_read", "embedding", "index_write", "model_call"]
    embedded = sum(len(text.split()) for text in desk.embedder.calls[0])
    assert attempt.usage == Usage(10 + embedded, 5, 1)


async def test_only_what_changed_is_embedded_again(desk: Desk) -> None:
    await desk.reads(desk.attempt("run_1", "doc.created"))
    text = "\n\n".join([SECTIONS[0], SECTIONS[1].replace("described", "explained")])

    done = await desk.reads(desk.attempt("run_2", "doc.updated", revision=2, text=text))

    assert done.output["indexed"] == {"chunks": 2, "embedded": 1, "reused": 1, "removed": 0}
    assert [len(call) for call in desk.embedder.calls] == [2, 1]
    assert [hit.reference.revision for hit in await desk.retrieval.search("acme", "apollo", 9, text="Export")] == [2]


async def test_embedding_is_paid_once_through_a_failed_attempt(desk: Desk) -> None:
    with pytest.raises(ModelUnavailable):
        await desk.reads(desk.attempt("run_1", "doc.created"), ModelUnavailable("Away."))

    again = desk.attempt("run_1", "doc.created", number=2)
    done = await desk.reads(again)

    assert len(desk.embedder.calls) == 1
    assert done.output["indexed"]["embedded"] == 2
    assert again.usage.input_tokens > 10


async def test_late_event_of_an_earlier_revision_changes_nothing(desk: Desk) -> None:
    await desk.reads(desk.attempt("run_1", "doc.updated", revision=5))

    done = await desk.reads(desk.attempt("run_2", "doc.created", revision=4, text="Something old."))

    assert done.output["indexed"] == {"chunks": 0, "embedded": 0, "reused": 0, "removed": 0, "outdated": ["d1"]}
    assert len(await desk.retrieval.search("acme", "apollo", 9, text="Export old")) == 1


async def test_archived_document_is_found_no_more(desk: Desk) -> None:
    await desk.reads(desk.attempt("run_1", "doc.created"))

    done = await desk.reads(desk.attempt("run_2", "doc.archived", revision=2, text=""))

    assert done.output["indexed"] == {"chunks": 0, "embedded": 0, "reused": 0, "removed": 2}
    assert await desk.retrieval.search("acme", "apollo", 9, text="Export") == []


async def test_replay_indexes_nothing(desk: Desk) -> None:
    attempt = desk.attempt("run_1", "doc.created")
    attempt.run["replay"] = {"of": "run_0"}

    done = await desk.reads(attempt)

    assert done.output == {"text": ANSWER}
    assert desk.embedder.calls == []
    assert await desk.retrieval.search("acme", "apollo", 9, text="Export") == []


async def test_run_without_a_project_says_so(desk: Desk) -> None:
    attempt = desk.attempt("run_1", "doc.created")
    attempt.run["project"] = None

    with pytest.raises(NoProject, match="name a project"):
        await desk.reads(attempt)


async def test_later_answer_rests_on_the_indexed_document(desk: Desk) -> None:
    await desk.reads(desk.attempt("run_1", "doc.created"))
    schema = {"type": "object", "properties": {"memory_diffs": {"type": "array"}}, "required": ["memory_diffs"]}
    asker = a_spec("asker", handler="llm", tools=["search_documents"], output_schema=schema, effects=["memory_diff"])
    attempt = desk.attempt("run_2", "checkin.submitted", spec=asker)
    diff = {
        "owner": "project",
        "block_label": "glossary",
        "field": "billing",
        "operation": "append",
        "proposed_value": "Billing is described in the guide.",
        "reasoning": "The guide says so.",
        "confidence": "high",
        "evidence": [{"type": "document", "id": "d1"}, {"type": "document", "id": "d2"}],
    }
    wanted = ToolCall("call_1", "search_documents", '{"query": "where is Billing described", "limit": 1}')

    done, model = await desk.asks(attempt, wanted, said({"memory_diffs": [diff]}))

    (told,) = [turn.output for turn in model.requests[1].input if isinstance(turn, ToolResult)]
    assert "The Billing of the product" in told
    assert "The Export of the product" not in told
    assert [reference["id"] for reference in done.effects[0]["evidence"]] == ["d1"]
    assert desk.embedder.calls[-1] == ["where is Billing described"]


async def test_tokens_of_a_search_count_with_those_of_the_run(desk: Desk) -> None:
    asker = a_spec("asker", handler="llm", tools=["search_documents"])
    attempt = desk.attempt("run_1", "checkin.submitted", spec=asker)
    wanted = ToolCall("call_1", "search_documents", '{"query": "one two three", "limit": 1}')

    _, model = await desk.asks(attempt, wanted, said(ANSWER))

    asked = sum(step["usage"]["input_tokens"] for step in [await _result(desk, index) for index in (0, 2)])
    assert attempt.usage.input_tokens == asked + 3
    assert len(model.requests) == 2


async def _result(desk: Desk, index: int) -> dict[str, Any]:
    step = (await desk.steps.of_run("run_1"))[index]
    return await desk.steps.result_of(step)
