"""/v1: what a chat front end that speaks OpenAI's interface asks: which models there are, and to chat with one."""

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict

from contracts.agents import AgentKey
from services.gateway.answers import json_answer
from services.gateway.api_document import problems
from services.gateway.chats import refuse_chat, shown_models
from services.gateway.state import caller_of, gateway_of
from services.gateway.views import View

router = APIRouter(tags=["models"])

_SERVER = "towpath"


class ModelView(View):
    """An Agent as a model: `id` is its key, `created` when its version was published, in seconds since 1970."""

    id: str
    object: str
    created: int
    owned_by: str


class ModelList(View):
    object: str
    data: list[ModelView]


class ChatRequest(BaseModel):
    """Whatever OpenAI's interface takes; only the model matters."""

    model_config = ConfigDict(extra="allow")

    model: AgentKey


@router.get("/v1/models", response_model=ModelList)
async def list_models(request: Request) -> Response:
    """List the Agents that are not hidden, as OpenAI lists models."""
    versions = await shown_models(gateway_of(request), await caller_of(request))
    data = [
        {
            "id": version.spec.key,
            "object": "model",
            "created": int(version.published_at.timestamp()),
            "owned_by": version.organisation or _SERVER,
        }
        for version in versions
    ]
    return json_answer({"object": "list", "data": data})


@router.post("/v1/chat/completions", status_code=409, response_model=None, responses=problems(404, 409))
async def complete_chat(request: Request, chat: ChatRequest) -> None:
    """Refuse to chat, and say what to do instead: 403 when the Agent is hidden, else 409."""
    await refuse_chat(gateway_of(request), await caller_of(request), chat.model)


@router.post("/v1/responses", status_code=409, response_model=None, responses=problems(404, 409))
async def respond(request: Request, chat: ChatRequest) -> None:
    """Refuse to chat, and say what to do instead: 403 when the Agent is hidden, else 409."""
    await refuse_chat(gateway_of(request), await caller_of(request), chat.model)
