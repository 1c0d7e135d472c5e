"""Where documents are found again, by meaning and by words, whatever keeps the index.

Everything belongs to one project of one organisation, and nothing is ever found from another one. A document is known
by its kind (`doc`, `ticket`) and its id. Who indexes or searches embeds the texts (`shared.llm.port.Embedder`) and
hands over the vectors as `shared.retrieval.vectors.encoded` makes them.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from shared.domain.document import Chunk, Document, Filters, Hit, Mention, Neighbour, Reference

__all__ = ["Chunk", "Document", "Filters", "Hit", "Mention", "Neighbour", "Reference", "Retrieval"]


class Retrieval(Protocol):
    """Documents of all projects. Every method raises StorageUnavailable while the database does not answer."""

    async def known(self, organisation: str, project: str, texts: Sequence[str]) -> Mapping[str, bytes]:
        """Return the vectors of the texts that are chunks of the project already; only the others need embedding."""
        ...

    async def index(self, organisation: str, project: str, documents: Sequence[Document]) -> Sequence[str]:
        """Store documents in place of what was stored of them, and return the ids of those that were stored.

        A document of which a later revision is stored, or was removed, is left out. The same revision again replaces
        the chunks, so that indexing twice changes nothing.
        """
        ...

    async def remove(self, organisation: str, project: str, kind: str, revisions: Mapping[str, int]) -> int:
        """Remove documents up to these revisions, by id; return how many chunks are gone."""
        ...

    async def search(
        self,
        organisation: str,
        project: str,
        limit: int,
        *,
        text: str | None = None,
        vector: bytes | None = None,
        filters: Filters | None = None,
    ) -> Sequence[Hit]:
        """Return the chunks that fit best, by words, by meaning, or by both: then the two orders are fused."""
        ...

    async def neighbours(
        self, organisation: str, project: str, kind: str, document_ids: Sequence[str], limit: int
    ) -> Mapping[str, Sequence[Neighbour]]:
        """Return for each document the nearest others of its kind, the nearest first, by their best chunks.

        One that is not indexed, or has no vectors, has no neighbours.
        """
        ...
