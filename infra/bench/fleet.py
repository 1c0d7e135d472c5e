"""A large configuration: 200 Agents of 20 organisations with 20,000 bindings, and events that meet them."""

from collections.abc import Iterator
from typing import Final
from uuid import uuid4

import orjson
from pymongo import UpdateOne

from contracts.agents import AgentSpec, EventTrigger, Scope, TargetRule
from infra.bench.load.bodies import PROJECT, SOURCE, USER
from shared.clock import utc_now
from shared.domain.binding import Binding, ScopeRef
from shared.store.agents import AgentStore
from shared.store.bindings import written_now
from shared.store.mongo import Database
from shared.store.revision import Revision

ORGANISATIONS: Final = tuple(f"fleet-{number}" for number in range(20))
EVENT_TYPE: Final = "ticket.changed"
_TYPES: Final = (EVENT_TYPE, "ticket.opened", "ticket.closed", "doc.created", "doc.updated")
_AGENTS_EACH: Final = 10
_PROJECTS: Final = 29
_USERS: Final = 70


def agents() -> Iterator[AgentSpec]:
    """Yield the Agents that each organisation has; two of them have a trigger for each type of event."""
    for number in range(_AGENTS_EACH):
        trigger = EventTrigger(event=_TYPES[number % len(_TYPES)], target=TargetRule(type="event", id="{id}"))
        yield AgentSpec(key=f"agent_{number}", name=f"Agent {number}", handler="noop", triggers=(trigger,))


def bindings(organisation: str) -> Iterator[Binding]:
    """Yield what 100 scopes say about each Agent: its users say no, everybody else says yes or nothing."""
    scopes = [ScopeRef(Scope.ORGANISATION, organisation)]
    scopes += [ScopeRef(Scope.PROJECT, f"{PROJECT}-{number}") for number in range(_PROJECTS)]
    scopes += [ScopeRef(Scope.USER, f"{USER}-{number}") for number in range(_USERS)]
    for spec in agents():
        for number, at in enumerate(scopes):
            enabled = False if at.scope is Scope.USER else (None, True)[number % 2]
            yield Binding(organisation, at, spec.key, enabled=enabled, updated_at=utc_now(), updated_by="bench")


async def write(database: Database) -> int:
    """Publish the Agents and write the bindings, unnoticed until the revision tells; return how many bindings."""
    store, count = AgentStore(database), 0
    for organisation in ORGANISATIONS:
        for spec in agents():
            await store.publish(spec, "bench", utc_now(), organisation=organisation)
        writes = [UpdateOne({"_id": each.id}, written_now(each), upsert=True) for each in bindings(organisation)]
        await database["bindings"].bulk_write(writes, ordered=False)
        count += len(writes)
    await Revision(database).advance()
    return count


def event(organisation: str, number: int, user: str | None = None) -> bytes:
    """Return an event of about 500 bytes, of one of the organisation's users and projects, as JSON."""
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": f"{number}-{uuid4().hex}",
            "source": SOURCE,
            "type": EVENT_TYPE,
            "organisationid": organisation,
            "projectid": f"{PROJECT}-{number % _PROJECTS}",
            "userid": user or f"{USER}-{number % _USERS}",
            "data": {
                "ticket_id": str(number),
                "title": "Export stops after the first page",
                "description": "The export stops after the first page when the filter names two teams. " * 3,
                "status": "open",
            },
        }
    )
