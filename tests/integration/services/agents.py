"""Runs of the generic Agent on a scripted model, attempt after attempt, with steps and memory on a real MongoDB."""

from collections.abc import Mapping
from typing import Any

import orjson

from contracts.agents import AgentSpec, CallMode, ModelTier
from services.runner.agents.continuation import Continuations
from services.runner.agents.llm import LlmAgent
from services.runner.agents.model_calls import ModelCalls
from services.runner.agents.tool_calls import ToolCalls
from services.runner.recorder import StepRecorder
from services.runner.tools.tool import Tool, stores_of
from services.runner.work import Attempt
from shared.domain.run import Claim, RunStatus
from shared.llm.port import ModelClient, ModelResponse, Usage
from shared.store.mongo import Mongo
from shared.store.sessions import SessionStore
from shared.store.steps import StepStore
from shared.testing.model import ScriptedModel, Step
from tests.unit.shared.given import NOW, Document, a_stored_run, an_event

MODELS = {ModelTier.REASONING: "deep", ModelTier.FAST: "quick"}
TIMEOUT_SECONDS = 5.0


def said(answer: Any, input_tokens: int = 10, output_tokens: int = 5) -> ModelResponse:
    """Return an answer with these figures."""
    text = answer if isinstance(answer, str) else orjson.dumps(answer).decode()
    return ModelResponse("resp_1", "deep", text, Usage(input_tokens, output_tokens))


class Bench:
    """One run of an Agent version."""

    def __init__(
        self,
        mongo: Mongo,
        spec: AgentSpec,
        models: Mapping[ModelTier, str] = MODELS,
        tools: tuple[Tool, ...] = (),
        mode: CallMode = CallMode.PLAIN,
    ) -> None:
        self._mongo = mongo
        self._spec = spec
        self._models = models
        self._tools = {tool.spec.name: tool for tool in tools}
        self._mode = mode
        self.steps = StepStore(mongo.database)

    def attempt(self, number: int = 1) -> Attempt:
        """Begin an attempt."""
        claim = Claim("run_1", number, f"runner-{number}")
        return Attempt(
            claim=claim,
            run=a_stored_run(RunStatus.RUNNING),
            spec=self._spec,
            event=orjson.loads(an_event(userid="ada", projectid="apollo").to_json()),
            steps=StepRecorder(self.steps, claim, lambda: NOW),
        )

    def agent(self, *steps: Step) -> tuple[LlmAgent, ScriptedModel]:
        """Return the Agent, and the model that plays these steps for it."""
        model = ScriptedModel(*steps)
        return self.agent_on(model), model

    def agent_on(self, model: ModelClient) -> LlmAgent:
        """Return the Agent on this model."""
        database = self._mongo.database
        stores = stores_of(database)
        continuations = Continuations(SessionStore(database), lambda: NOW, 4_000)
        model_calls = ModelCalls(model, TIMEOUT_SECONDS, self._mode)
        return LlmAgent(model_calls, ToolCalls(self._tools, stores), self._models, stores.memory, continuations)

    async def recorded(self) -> list[Document]:
        """Return the steps of the run."""
        return await self.steps.of_run("run_1")
