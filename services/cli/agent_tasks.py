"""`[[task]]` files: what a task says, and the Agent that it is. Pure."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contracts.cron import CronText
from contracts.field_errors import field_errors
from contracts.filters import ALL, MemberFilter
from contracts.queries import HANDLER, Query, QueryScope
from contracts.tools import TOOL_NAMES
from services.cli.toml_lines import line_of

Document = dict[str, Any]

TABLE: Final = "task"
_SESSIONS: Final = frozenset({"current", "specific"})
"""Names of the same thing in files that were written elsewhere."""


class Task(BaseModel):
    """One `[[task]]`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=128)
    schedule: CronText | None = None
    manual: bool = True
    on_idle: bool = False
    idle_threshold_minutes: float = Field(default=30, ge=0.01, le=43_200)
    idle_cooldown_minutes: float = Field(default=60, ge=0, le=43_200)
    agent_types: tuple[str, ...] = ()
    user_filter: MemberFilter = ALL
    batch_size: int | None = Field(default=None, ge=1, le=1_000)
    queries: Annotated[tuple[Query, ...], Field(max_length=20)] = ()
    system: str | None = None
    tools: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Loaded:
    """The configuration of an Agent, and what of its file could not be taken as it stands."""

    content: Document
    notes: tuple[str, ...] = ()


def tasks_of(text: str) -> list[Loaded]:
    """Return the Agents of a file with `[[task]]` tables, none if it has none.

    Raises ValueError with a line of text for each thing that is wrong, which names line and field.
    """
    document = tomllib.loads(text)
    tables = document.get(TABLE)
    if not isinstance(tables, list):
        return []
    tasks = _checked(text, tables)
    others = sorted(set(document) - {TABLE})
    unread = [f"{', '.join(others)}: only [[task]] is read from this file"] if others else []
    return [Loaded(_content(task), (*unread, *_notes(task, table))) for task, table in zip(tasks, tables, strict=True)]


def _checked(text: str, tables: list[Document]) -> list[Task]:
    tasks, wrong = [], []
    for index, table in enumerate(tables):
        try:
            task = Task.model_validate(_renamed(table))
        except ValidationError as error:
            wrong += [_told(text, index, each.field, each.message) for each in field_errors(error)]
            continue
        tasks.append(task)
        if not (task.system or task.queries):
            wrong.append(_told(text, index, "system", "say with 'system' or 'queries' what the Agent is to do."))
    if wrong:
        raise ValueError("\n".join(wrong))
    return tasks


def _told(text: str, index: int, field: str, message: str) -> str:
    path: list[str | int] = [int(part) if part.isdecimal() else part for part in field.split(".") if part]
    return f"line {line_of(text, TABLE, [index, *path])}: {TABLE}.{index}.{field}: {message}"


def _renamed(table: Document) -> Document:
    """Return the table with the scopes of its queries under the names that they have here."""
    queries = table.get("queries")
    if not isinstance(queries, list):
        return table
    return {**table, "queries": [_with_scope(each) if isinstance(each, dict) else each for each in queries]}


def _with_scope(query: Document) -> Document:
    return {**query, "scope": QueryScope.SESSION.value} if query.get("scope") in _SESSIONS else query


def _content(task: Task) -> Document:
    content: Document = {
        "key": key_of(task.name),
        "name": task.name,
        "visibility": "organisation",
        "instructions": (task.system or "").strip(),
        "memory": ["user"],
        "manual": task.manual,
        "tools": list(task.tools),
    }
    if task.agent_types:
        content["tags"] = list(task.agent_types)
    if task.batch_size is not None:
        content["batch_size"] = task.batch_size
    if task.queries:
        queries = [query.model_dump(mode="json", exclude_unset=True) for query in task.queries]
        content |= {"handler": HANDLER, "queries": queries, "effects": ["memory_diff"]}
    return content | dict(_triggers(task))


def _triggers(task: Task) -> Iterator[tuple[str, Document]]:
    served = {"target": {"type": "user", "id": "{userid}"}, "user_filter": task.user_filter}
    if task.schedule is not None:
        yield "schedule_trigger", {"schedule": {"cron": task.schedule}, **served}
    if task.on_idle:
        minutes = {name: getattr(task, name) for name in ("idle_threshold_minutes", "idle_cooldown_minutes")}
        yield "on_idle", minutes | served


def key_of(name: str) -> str:
    """Return the key of the Agent that a task of this name is."""
    key = re.sub(r"[^a-z0-9_\-]+", "-", name.strip().lower()).strip("-")
    return (key if key[:1].isalpha() else f"task-{key}")[:64]


def _notes(task: Task, table: Mapping[str, Any]) -> Iterator[str]:
    """Yield what cannot be obeyed as it is written, and what is done instead."""
    if task.agent_types:
        yield "agent_types become tags: memory belongs to the user, whichever assistant is talked to"
    unused = [name for name in ("idle_threshold_minutes", "idle_cooldown_minutes") if name in table]
    if unused and not task.on_idle:
        yield f"{' and '.join(unused)}: of no effect, because on_idle is not true"
    if task.user_filter != ALL and task.schedule is None and not task.on_idle:
        yield "user_filter: of no effect, because only schedule and on_idle look for users"
    if not (task.schedule or task.on_idle or task.manual):
        yield "nothing starts it: it has no schedule, and neither on_idle nor manual is true"
    if unknown := [tool for tool in task.tools if tool not in TOOL_NAMES]:
        yield f"tools: a run fails with tool_unknown where its runner has no {', '.join(unknown)}"
    yield from _query_notes(task, table)


def _query_notes(task: Task, table: Mapping[str, Any]) -> Iterator[str]:
    for index, (query, said) in enumerate(zip(task.queries, table.get("queries", ()), strict=True)):
        if query.scope is QueryScope.SESSION and said.get("scope") in _SESSIONS:
            yield f"queries.{index}.scope: '{said['scope']}' becomes 'session', the one that the run is about"
        if query.scope is not QueryScope.RECENT and "recent_limit" in said:
            yield f"queries.{index}.recent_limit: of no effect, because scope is not 'recent'"
