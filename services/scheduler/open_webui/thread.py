"""A run as a talk: what started it, and what it answered, in words and lists. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.open_webui import Said, Thread

Document = dict[str, Any]


def thread_of(run: Mapping[str, Any], agent_name: str, output: Any, address: str | None) -> Thread:
    """Return the thread of an ended run; `output` is its answer as JSON, None when it has none."""
    target = run["target"]
    started = Said("user", f"{run['event_type']}: {target['type']} {target['id']}")
    return Thread(
        run_id=run["_id"],
        agent_key=run["agent_key"],
        agent_name=agent_name,
        ended_at=run["finished_at"],
        messages=(started, Said("assistant", "\n\n".join(_told(run, output)))),
        address=address,
    )


def _told(run: Mapping[str, Any], output: Any) -> Iterator[str]:
    error = run.get("error")
    if error is not None:
        yield f"The run failed: {error['code']}. {error['detail']}"
    fields = output if isinstance(output, dict) else {} if output is None else {"answer": output}
    said = [text for name, value in fields.items() if (text := _field(name, value))]
    yield from said
    proposed = [effect["title"] for effect in run.get("effects") or () if effect.get("dropped") is None]
    if proposed:
        yield "\n".join(["**Proposals to decide**", *(f"- {title}" for title in proposed)])
    if error is None and not said and not proposed:
        yield "Nothing to say."


def _field(name: str, value: Any) -> str:
    """Return a text as a paragraph and a list as a list, under its name; nothing for what is empty."""
    if value in (None, "", [], {}):
        return ""
    heading = f"**{name.replace('_', ' ').capitalize()}**"
    if isinstance(value, list):
        return "\n".join([heading, *(f"- {_line(entry)}" for entry in value)])
    return f"{heading}\n{_line(value)}"


def _line(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_line(each)}" for name, each in value.items() if each not in (None, "", [], {}))
    if isinstance(value, list):
        return ", ".join(_line(each) for each in value)
    return str(value)
