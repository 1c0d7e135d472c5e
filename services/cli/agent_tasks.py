"""`[[task]]` files: what a task says, and the Agent that it is. Pure."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from contracts.cron import CronText
from contracts.field_errors import field_errors
from contracts.filters import ALL, MemberFilter
from services.cli.task_answers import answer_schema, instructions
from services.cli.toml_lines import line_of

Document = dict[str, Any]

TABLE: Final = "task"
_MOST_EVENTS: Final = 20
_TOOLS: Final = frozenset({"read_memory", "recent_events"})
_HISTORY: Final = "recent_events"


class Merge(StrEnum):
    """How an answer changes the field that a query names."""

    APPEND = "append"
    REPLACE = "replace"
    LLM_DIFF = "llm_diff"


class QueryScope(StrEnum):
    """Which history a query is about."""

    ALL = "all"
    RECENT = "recent"
    CURRENT = "current"
    SPECIFIC = "specific"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Query(_Part):
    """One question about a user, and the field of memory that its answer is for."""

    target: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}\.[a-z][a-z0-9_]{0,63}$")]
    question: str = Field(min_length=1)
    scope: QueryScope = QueryScope.ALL
    recent_limit: int | None = Field(default=None, ge=1)
    merge: Merge = Merge.APPEND


class Task(_Part):
    """One `[[task]]`."""

    name: str = Field(min_length=1, max_length=128)
    schedule: CronText | None = None
    manual: bool = True
    on_idle: bool = False
    idle_threshold_minutes: float = Field(default=30, ge=0.01, le=43_200)
    idle_cooldown_minutes: float = Field(default=60, ge=0, le=43_200)
    agent_types: tuple[str, ...] = ()
    user_filter: MemberFilter = ALL
    batch_size: int | None = None
    queries: tuple[Query, ...] = ()
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
            task = Task.model_validate(table)
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


def _content(task: Task) -> Document:
    content: Document = {
        "key": key_of(task.name),
        "name": task.name,
        "visibility": "organisation",
        "instructions": instructions(task.system, task.queries),
        "memory": ["user"],
        "manual": task.manual,
        # Every question is about what happened, and the run's own event says little of that.
        "tools": list(dict.fromkeys((*task.tools, *((_HISTORY,) if task.queries else ())))),
    }
    if task.agent_types:
        content["tags"] = list(task.agent_types)
    if task.queries:
        content |= {"output_schema": answer_schema(task.queries), "effects": ["memory_diff"]}
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
    if task.batch_size is not None:
        yield "batch_size is not needed: each user is a run of its own"
    if task.agent_types:
        yield "agent_types become tags: memory belongs to the user, whichever assistant is talked to"
    unused = [name for name in ("idle_threshold_minutes", "idle_cooldown_minutes") if name in table]
    if unused and not task.on_idle:
        yield f"{' and '.join(unused)}: of no effect, because on_idle is not true"
    if task.user_filter != ALL and task.schedule is None and not task.on_idle:
        yield "user_filter: of no effect, because only schedule and on_idle look for users"
    if not (task.schedule or task.on_idle or task.manual):
        yield "nothing starts it: it has no schedule, and neither on_idle nor manual is true"
    if unknown := [tool for tool in task.tools if tool not in _TOOLS]:
        yield f"tools: a run fails with tool_unknown where its runner has no {', '.join(unknown)}"
    for index, query in enumerate(task.queries):
        yield from _query_notes(f"queries.{index}", query)


def _query_notes(field: str, query: Query) -> Iterator[str]:
    if query.scope in {QueryScope.CURRENT, QueryScope.SPECIFIC}:
        yield f"{field}.scope: '{query.scope}' cannot be asked for; the run sees the latest events of the user, as with 'all'"
    if query.recent_limit is not None and query.recent_limit > _MOST_EVENTS:
        yield f"{field}.recent_limit: recent_events shows {_MOST_EVENTS} at most, not {query.recent_limit}"
