"""Reading the text that a runner gives a model: the event, its data, and what is remembered already."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from infra.offline_model.told import hearsay

_HEADINGS = (
    "Event|Environment|Content|Memory of the user|Memory of the project"
    "|Question|Merge|Field|Current text of the field|History of the user|Insight"
    "|Session so far|Job that has ended|Output of the job"
)
_HEADING = re.compile(rf"^# ({_HEADINGS})\b.*$", re.MULTILINE)
_LEFT_OUT = re.compile(r"^\(.* left out\.\)\n")
_OF_JOB = re.compile(r"<job_output>\n(.*)\n</job_output>", re.DOTALL)
_FACT = re.compile(r"^(\w+): (.*)$", re.MULTILINE)
_MEMORY_LINE = re.compile(r"^(?:## (?P<label>\S+)|(?P<field>[\w.-]{1,64}): (?P<text>.*))$")
_KEYS_OF_FACTS = (
    "accepted_at agent_key assignee changed_fields date due_at edited_by fired_at fire_id id instructions kind labels model"
    " mood period_end period_start previous_text priority resolution revision schedule scope status ticket_ids timezone"
    " type url"
)
_NOT_PROSE = frozenset(_KEYS_OF_FACTS.split())


@dataclass(frozen=True, slots=True)
class Passage:
    """A text that a person wrote, and the key of the data under which it stood."""

    place: str
    text: str


@dataclass(frozen=True, slots=True)
class Remembered:
    """One field of a memory block; `owner` is `user` or `project`."""

    owner: str
    label: str
    field: str
    text: str


@dataclass(frozen=True, slots=True)
class Material:
    """Everything that an answer may rest on; `tickets` and `documents` are those that tools told of, each once.

    A `question` is about the history, which is the data then; an `insight` is to be merged into the `current_text`. A
    `job` is what has ended in a session, and what it printed its `job_output`.
    """

    passages: tuple[Passage, ...]
    event: Mapping[str, str] = field(default_factory=dict)
    data: Any = None
    memory: tuple[Remembered, ...] = ()
    tickets: tuple[Mapping[str, Any], ...] = ()
    documents: tuple[Mapping[str, Any], ...] = ()
    job: Mapping[str, Any] = field(default_factory=dict)
    job_output: str = ""
    question: str = ""
    current_text: str = ""
    insight: str = ""

    @property
    def title(self) -> str:
        """The title of the document that the content is, empty when it is none."""
        title = self.data.get("title") if isinstance(self.data, dict) else None
        return title if isinstance(title, str) else ""


def read_material(text: str, told: Sequence[str] = ()) -> Material:
    """Return the sections of a rendered input, with what tools told; a text without such sections is one passage."""
    sections = dict(_sections(text))
    if not sections:
        return Material(passages=(Passage("text", text),))
    content = _LEFT_OUT.sub("", sections.get("Content", sections.get("History of the user", "")).strip())
    data = _json(content)
    heard = tuple(hearsay(told, data))
    happened = (each["data"] for each in heard if "data" in each)
    return Material(
        passages=tuple(passage for each in (data, *happened) for passage in _passages(each, "text")),
        event=dict(_FACT.findall(sections.get("Event", ""))),
        data=data,
        memory=tuple(
            remembered
            for owner in ("user", "project")
            for remembered in _memory(owner, sections.get(f"Memory of the {owner}", ""))
        ),
        tickets=tuple({each["ticket_id"]: each for each in reversed(list(_tickets(heard)))}.values()),
        documents=tuple(each for each in heard if "document_id" in each),
        job=_job(sections.get("Job that has ended", "")),
        job_output="".join(_OF_JOB.findall(sections.get("Output of the job", ""))),
        question=sections.get("Question", "").strip().partition("\n")[0],
        current_text=sections.get("Current text of the field", "").strip(),
        insight=sections.get("Insight", "").strip(),
    )


def has_sections(text: str) -> bool:
    """Return whether a text is a rendered input."""
    return _HEADING.search(text) is not None


def _tickets(heard: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield what was told of tickets: those that were listed before those of events, which are older news."""
    yield from (each for each in heard if "ticket_id" in each)
    for each in heard:
        data = each.get("data")
        if isinstance(data, dict) and "ticket_id" in data:
            yield {**data, "closed": each.get("type") == "ticket.closed"}


def _sections(text: str) -> Iterator[tuple[str, str]]:
    headings = list(_HEADING.finditer(text))
    ends = [*(heading.start() for heading in headings[1:]), len(text)][: len(headings)]
    for heading, end in zip(headings, ends, strict=True):
        yield heading.group(1), text[heading.end() : end]


def _json(content: str) -> Any:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return content


def _job(content: str) -> Mapping[str, Any]:
    job = _json(content.strip())
    return job if isinstance(job, dict) else {}


def _passages(value: Any, place: str) -> Iterator[Passage]:
    match value:
        case str(text) if text.strip():
            yield Passage(place, text)
        case dict():
            for key, each in _prose_of(value):
                yield from _passages(each, key)
        case list():
            for each in value:
                yield from _passages(each, place)


def _prose_of(value: Mapping[str, Any]) -> list[tuple[str, Any]]:
    if "role" in value:
        # What an assistant or a tool said is not evidence of what a person wants.
        return [("message", value.get("text") or value.get("content"))] if value["role"] == "user" else []
    return [(key, each) for key, each in value.items() if key not in _NOT_PROSE and not key.endswith("_id")]


def _memory(owner: str, section: str) -> Iterator[Remembered]:
    label, name, lines = "", "", list[str]()
    for line in section.splitlines():
        start = _MEMORY_LINE.match(line)
        if start is None:
            lines.append(line)
            continue
        yield from _remembered(owner, label, name, lines)
        label = start["label"] or label
        name, lines = (start["field"], [start["text"]]) if start["field"] else ("", [])
    yield from _remembered(owner, label, name, lines)


def _remembered(owner: str, label: str, name: str, lines: list[str]) -> Iterator[Remembered]:
    if name:
        yield Remembered(owner, label, name, "\n".join(lines).strip())
