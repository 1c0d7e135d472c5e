"""Questions that an Agent version asks about its user: what is asked, of which history, and where the answer goes."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from contracts.targets import Part

HANDLER = "queries"
"""The handler of an Agent version that has queries."""
MOST_RECENT = 500

_NAME = "[a-z][a-z0-9_]{0,63}"


class QueryScope(StrEnum):
    """Which of a user's history is read: all of it, its latest entries, or the session that the run is about."""

    ALL = "all"
    RECENT = "recent"
    SESSION = "session"


class Merge(StrEnum):
    """How an answer changes the field that it is for.

    `append` adds a line, `replace` is the whole new text, `llm_diff` has the model merge the answer into the text.
    """

    APPEND = "append"
    REPLACE = "replace"
    LLM_DIFF = "llm_diff"


class Query(Part):
    """One question about a user, and the field of the user's memory that its answer is for, as `block.field`.

    `recent_limit` is how many of the latest entries `recent` reads; an entry is a message or another event.
    """

    target: Annotated[str, StringConstraints(pattern=rf"^{_NAME}\.{_NAME}$")]
    question: str = Field(min_length=1, max_length=4_000)
    scope: QueryScope = QueryScope.ALL
    recent_limit: int = Field(default=50, ge=1, le=MOST_RECENT)
    merge: Merge = Merge.APPEND

    @property
    def block_label(self) -> str:
        return self.target.partition(".")[0]

    @property
    def field(self) -> str:
        return self.target.partition(".")[2]
