"""What a runner has to do with documents: put together from its settings."""

from dataclasses import dataclass

from services.runner.agents.indexing import Indexing
from services.runner.tools.search_documents import search_documents
from services.runner.tools.tool import Tool
from shared.clock import Clock
from shared.llm.openai_client import OpenAIModel
from shared.llm.paced import Lanes, PacedEmbedder
from shared.llm.port import Embedder
from shared.retrieval.atlas import AtlasVectors
from shared.retrieval.local import LocalVectors
from shared.retrieval.port import Retrieval
from shared.retrieval.stored import StoredRetrieval
from shared.settings import RetrievalBackend, RunnerSettings
from shared.store.document_search import DocumentSearch
from shared.store.documents import DocumentStore
from shared.store.mongo import Mongo

_NO_MODEL = "none"
_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Documents:
    """The documents of all projects, and what embeds texts, if anything does."""

    retrieval: Retrieval
    embedder: Embedder | None
    chunk_characters: int
    timeout_seconds: float

    @property
    def indexing(self) -> Indexing:
        """What handlers index with."""
        return Indexing(self.retrieval, self.embedder, self.chunk_characters, self.timeout_seconds)

    @property
    def tool(self) -> Tool:
        """What Agents search with."""
        return search_documents(self.retrieval, self.embedder, self.timeout_seconds)


def embedder_of(settings: RunnerSettings, provider: OpenAIModel) -> Embedder | None:
    """Return what embeds; None when the settings say that nothing does."""
    model = settings.openai_embedding_model
    return None if model == _NO_MODEL else provider.embedder(model, settings.openai_embedding_dimensions)


def paced(settings: RunnerSettings, provider: OpenAIModel, lanes: Lanes) -> Embedder | None:
    """Return what embeds, with the limits that all runners share."""
    embedder = embedder_of(settings, provider)
    return embedder and PacedEmbedder(embedder, lanes, provider.host, settings.openai_embedding_model)


def documents(settings: RunnerSettings, mongo: Mongo, embedder: Embedder | None, clock: Clock) -> Documents:
    """Return the documents as the settings want them found."""
    space = embedder.space if embedder else None
    return Documents(
        retrieval=_retrieval(settings, mongo, space, clock),
        embedder=embedder,
        chunk_characters=settings.document_chunk_characters,
        timeout_seconds=settings.model_call_timeout_seconds,
    )


def _retrieval(settings: RunnerSettings, mongo: Mongo, space: str | None, clock: Clock) -> Retrieval:
    search = DocumentSearch(mongo.database)
    vectors = (
        AtlasVectors(search, space)
        if settings.retrieval_backend is RetrievalBackend.ATLAS
        else LocalVectors(search, space, settings.retrieval_index_megabytes * _MEGABYTE, clock)
    )
    return StoredRetrieval(DocumentStore(mongo, space, clock), search, vectors)
