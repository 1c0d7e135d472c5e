"""What is written together or not at all.

The driver hands every command to a thread and waits for it, and a transaction is six commands, one after the other: a third
of its time would be these ways there and back. So a transaction is plain code that is handed over as a whole.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, cast

from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.database import Database

_Collection = Collection[dict[str, Any]]


class Transaction:
    """The database as one transaction sees it. For the thread that runs it, and no longer than it lasts."""

    def __init__(self, database: Database[dict[str, Any]], session: ClientSession) -> None:
        self._database = database
        self._session = session

    def __getitem__(self, collection: str) -> _Collection:
        """Return a collection all of whose commands belong to the transaction."""
        return cast("_Collection", _Within(self._database[collection], self._session))


class _Within:
    """A collection whose commands have the session without being told."""

    def __init__(self, collection: _Collection, session: ClientSession) -> None:
        self._collection = collection
        self._session = session

    def __getattr__(self, command: str) -> Callable[..., Any]:
        return partial(getattr(self._collection, command), session=self._session)
