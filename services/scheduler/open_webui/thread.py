"""A run as people read it in a chat: what started it, what was said and done round by round, and what is proposed. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from shared.domain.open_webui import Message, Thread
from shared.domain.transcript import Said, cut

Document = dict[str, Any]


def thread_of(
    run: Mapping[str, Any], agent_name: str, event: Mapping[str, Any] | None, said: Sequence[Said], address: str | None
) -> Thread:
    """Return the thread of an ended run, of its event as JSON, if that is still there, and the transcript of its steps."""
    ended = Message("assistant", _ended(run, bool(said)), run["finished_at"])
    answered = [Message("assistant", text, each.at) for each in said if (text := _answered(each))]
    return Thread(
        run_id=run["_id"],
        agent_key=run["agent_key"],
        agent_name=agent_name,
        queued_at=run["queued_at"],
        messages=(Message("user", _asked(run, event), run["queued_at"]), *answered, *([ended] if ended.text else [])),
        address=address,
    )


def _asked(run: Mapping[str, Any], event: Mapping[str, Any] | None) -> str:
    target = run["target"]
    first = f"{run['event_type']}: {target['type']} {target['id']}"
    data = {} if event is None else event.get("data") or {}
    return cut("\n\n".join([first, *_fields(data)]))


def _answered(said: Said) -> str:
    """Return what was said in one round; JSON as words and lists, and the tools that were called."""
    calls = [f"- {event.tool} {event.command}".rstrip() for event in said.tool_events if event.command]
    called = ["\n".join(["**Called**", *calls])] if calls else []
    try:
        answer = orjson.loads(said.content)
    except orjson.JSONDecodeError:
        answer = None
    told = list(_fields(answer)) if isinstance(answer, dict) else [said.content] if said.content else []
    return cut("\n\n".join([*told, *called]))


def _ended(run: Mapping[str, Any], is_anything_said: bool) -> str:  # noqa: FBT001  # a claim, not an option
    error = run.get("error")
    proposed = [effect["title"] for effect in run.get("effects") or () if effect.get("dropped") is None]
    parts = [] if error is None else [f"The run failed: {error['code']}. {error['detail']}"]
    if proposed:
        parts.append("\n".join(["**Proposals to decide**", *(f"- {title}" for title in proposed)]))
    return "\n\n".join(parts) or ("" if is_anything_said else "Nothing to say.")


def _fields(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield each field that says something: a text as a paragraph and a list as a list, under its name."""
    for name, value in values.items():
        heading = f"**{name.replace('_', ' ').capitalize()}**"
        if isinstance(value, list) and value:
            yield "\n".join([heading, *(f"- {_line(entry)}" for entry in value)])
        elif value not in (None, "", [], {}):
            yield f"{heading}\n{_line(value)}"


def _line(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_line(each)}" for name, each in value.items() if each not in (None, "", [], {}))
    if isinstance(value, list):
        return ", ".join(_line(each) for each in value)
    return str(value)
