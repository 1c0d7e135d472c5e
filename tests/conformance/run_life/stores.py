"""The stores of runs and slots as several processes use them, in memory and on a real server, under one given clock."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol, cast

from shared.clock import Clock
from shared.store.mongo import Collection, Database
from shared.store.runs import RunStore
from shared.store.slots import SlotStore
from shared.testing.runs import KeptRuns
from shared.testing.slots import KeptSlots
from tests.conformance.run_life.process import Process

_READS = frozenset(
    {
        *(
            "due_for_sweep",
            "waiting_under",
            "waiting_ahead",
            "keys_waited_under",
            "holding",
            "cancelling",
            "load",
            "known",
        ),
        *("find", "count", "wanted", "all"),
    }
)
_DRIVER_WRITES = frozenset(
    {"insert_many", "update_one", "update_many", "bulk_write", "find_one_and_update", "delete_many"}
)


class Stores(Protocol):
    """What is stored, and how each process sees it."""

    def runs(self, process: Process) -> RunStore: ...

    def slots(self, process: Process) -> SlotStore: ...


class KeptStores:
    """In memory: every call of a store that writes is one write."""

    def __init__(self, clock: Clock) -> None:
        self._runs = KeptRuns(clock)
        self._slots = KeptSlots()

    def runs(self, process: Process) -> RunStore:
        return cast(RunStore, _Ordered(self._runs, process, are_writes=True))

    def slots(self, process: Process) -> SlotStore:
        return cast(SlotStore, _Ordered(self._slots, process, are_writes=True))


class MongoStores:
    """On a server: every command that writes is one write. Its clock is the given one, too."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def runs(self, process: Process) -> RunStore:
        return cast(RunStore, _Ordered(ClockedRuns(self._database, self._clock, process), process, are_writes=False))

    def slots(self, process: Process) -> SlotStore:
        return cast(SlotStore, _Ordered(_Slots(self._database, self._clock, process), process, are_writes=False))


class ClockedRuns(RunStore):
    """The real store, with a given clock in place of the server's."""

    def __init__(self, database: Database, clock: Clock, process: Process | None = None) -> None:
        super().__init__(database)
        self._runs = cast(Collection, _Commands(self._runs, clock, process or Process()))


class _Slots(SlotStore):
    def __init__(self, database: Database, clock: Clock, process: Process) -> None:
        super().__init__(database)
        self._slots = cast(Collection, _Commands(self._slots, clock, process))


class _Ordered:
    """A store whose calls by one process happen one after the other."""

    def __init__(self, store: RunStore | SlotStore, process: Process, *, are_writes: bool) -> None:
        self._store = store
        self._process = process
        self._are_writes = are_writes

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call, process = getattr(self._store, name), self._process
        is_write = self._are_writes and name not in _READS

        async def ordered(*args: Any, **options: Any) -> Any:
            async def work() -> Any:
                return await call(*args, **options)

            return await process.do((lambda: process.write(work)) if is_write else work)

        return ordered


class _Commands:
    """A collection whose writes are those of a process, and which takes the time from a clock."""

    def __init__(self, collection: Collection, clock: Clock, process: Process) -> None:
        self._collection = collection
        self._clock = clock
        self._process = process

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(self._collection, name)
        if name not in _DRIVER_WRITES:
            return cast(Callable[..., Any], call)

        async def written(*args: Any, **options: Any) -> Any:
            timed = [_at(argument, self._clock()) for argument in args]
            return await self._process.write(lambda: call(*timed, **options))

        return written


def _at(part: Any, now: datetime) -> Any:
    """Return the part of a command with this moment for the server's."""
    match part:
        case "$$NOW":
            return now
        case dict():
            return {name: _at(each, now) for name, each in part.items()}
        case list():
            return [_at(each, now) for each in part]
        case _:
            return part
