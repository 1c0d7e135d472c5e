"""The tool `search_documents`: what the documents of the run's project say, found by words and by meaning."""

from collections.abc import Mapping
from typing import Any

from services.runner.tools.tool import Paid, Scope, Stores, Tool
from shared.llm.port import Embedder, ToolSpec
from shared.retrieval.port import Hit, Retrieval
from shared.retrieval.vectors import encoded

_MOST = 10
_LONGEST_QUERY = 1_000


def search_documents(retrieval: Retrieval, embedder: Embedder | None, timeout_seconds: float) -> Tool:
    """Return the tool on these documents; without an embedder it finds by words only."""

    async def call(stores: Stores, scope: Scope, arguments: Mapping[str, Any]) -> Paid | list[dict[str, Any]]:
        if scope.project is None:
            return []
        query, vector, tokens = arguments["query"], None, 0
        if embedder is not None:
            found = await embedder.embed([query], timeout_seconds)
            vector, tokens = encoded(found.vectors[0]), found.usage.input_tokens
        hits = await retrieval.search(scope.organisation, scope.project, arguments["limit"], text=query, vector=vector)
        return Paid([_shown(hit) for hit in hits], tokens)

    return Tool(SPEC, call)


def _shown(hit: Hit) -> dict[str, Any]:
    where = hit.reference
    return {
        "document_id": hit.document_id,
        "kind": hit.kind,
        "title": where.title,
        "revision": where.revision,
        "characters": [where.start, where.end],
        "text": hit.text,
    }


SPEC = ToolSpec(
    name="search_documents",
    description="Finds parts of the project's documents that fit a question, the best first.",
    parameters={
        "type": "object",
        "properties": {
            "query": {
                "type": "string",
                "pattern": "\\S",
                "maxLength": _LONGEST_QUERY,
                "description": "What to look for: a question or a statement, with the words that the document may use.",
            },
            "limit": {"type": "integer", "minimum": 1, "maximum": _MOST, "description": "How many parts at most."},
        },
        "required": ["query", "limit"],
        "additionalProperties": False,
    },
)
