"""/api/documents and /api/search: the documents of a project as they are indexed, for its members."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from services.gateway import cursor as cursors
from services.gateway.answers import json_answer
from services.gateway.document_views import (
    DocumentDetail,
    DocumentList,
    HitList,
    document_detail,
    document_view,
    hit_view,
)
from services.gateway.memory_access import check_member
from services.gateway.problems import Forbidden
from services.gateway.state import caller_of, gateway_of
from shared.domain.document import Filters
from shared.errors import NotFound
from shared.retrieval.fusion import fused
from shared.store.documents import Place

router = APIRouter(tags=["documents"])

_Project = Annotated[str, Query(min_length=1, max_length=1_000, description="Whose documents, for its members.")]
_Kind = Annotated[str | None, Query(max_length=64, description="Only of this kind, such as doc or ticket.")]


@router.get("/api/documents", response_model=DocumentList)
async def list_documents(
    request: Request,
    project: _Project,
    kind: _Kind = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: str | None = None,
) -> Response:
    """List the indexed documents of a project, the one indexed last first."""
    gateway, caller = gateway_of(request), await caller_of(request)
    await check_member(gateway, caller, project)
    after = cursors.after(cursor, "changed_at")
    found = await gateway.documents.listed(Place(caller.organisation, project), kind, after, limit + 1)
    page, next_cursor = cursors.page(found, limit, "changed_at")
    return json_answer({"documents": [document_view(each) for each in page], "next_cursor": next_cursor})


@router.get("/api/documents/{id}", response_model=DocumentDetail)
async def get_document(request: Request, id: str) -> Response:
    """Return one indexed document with its chunks."""
    gateway, caller = gateway_of(request), await caller_of(request)
    document = await gateway.documents.document(caller.organisation, id)
    missing = NotFound(f"There is no document '{id}', or it is not yours to see.")
    if document is None:
        raise missing
    try:
        await check_member(gateway, caller, document["project"])
    except Forbidden:
        raise missing from None
    return json_answer(document_detail(document))


@router.get("/api/search", response_model=HitList)
async def search_documents(
    request: Request,
    project: _Project,
    q: Annotated[str, Query(min_length=1, max_length=1_000, description="Words to look for.")],
    kind: _Kind = None,
    limit: Annotated[int, Query(ge=1, le=50)] = 10,
) -> Response:
    """Find chunks of a project's documents by their words, the best first."""
    gateway, caller = gateway_of(request), await caller_of(request)
    await check_member(gateway, caller, project)
    place, filters = Place(caller.organisation, project), Filters(kinds=None if kind is None else (kind,))
    keys = await gateway.documents.by_words(place, q, limit, filters)
    hits = await gateway.documents.hits(place, fused([keys]))
    return json_answer({"hits": [hit_view(hit, place.key(hit.kind, hit.document_id)) for hit in hits]})
