"""What is shown of a run in Open WebUI: a folder for each Agent, in it a chat for each run. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

Document = dict[str, Any]

FOLDER_TYPE = "background_agent"
MARK = "towpath"
"""The field of a chat that holds the id of its run: how a chat is known again, and told from those of the user."""
MOST_ATTEMPTS = 12
_FIRST_PAUSE = timedelta(seconds=5)
_LONGEST_PAUSE = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Message:
    """One message: `role` is `user` or `assistant`."""

    role: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Thread:
    """An ended run as a chat shows it; `address` is where all of it is, if that is known."""

    run_id: str
    agent_key: str
    agent_name: str
    queued_at: datetime
    messages: tuple[Message, ...]
    address: str | None = None

    @property
    def title(self) -> str:
        return f"{self.agent_name} - {self.queued_at:%Y-%m-%d}"


def folder_names(thread: Thread) -> tuple[str, str]:
    """Return how the folder of the Agent is called, and how if the user has a folder of that name already."""
    return thread.agent_name, f"{thread.agent_name} ({thread.agent_key})"


def folder_meta(agent_key: str) -> Document:
    """Return what marks a folder as that of an Agent."""
    return {"type": FOLDER_TYPE, "agentId": agent_key}


def is_folder_of(agent_key: str, folder: Mapping[str, Any]) -> bool:
    """Whether a folder, with all of its `meta`, is that of the Agent."""
    return folder_meta(agent_key).items() <= (folder.get("meta") or {}).items()


def run_of_chat(chat: Mapping[str, Any]) -> str | None:
    """Return the run that a chat shows; None for a chat of the user's own."""
    mark = (chat.get("chat") or {}).get(MARK) or {}
    run_id = mark.get("run_id")
    return run_id if isinstance(run_id, str) else None


def chat_of(thread: Thread) -> Document:
    """Return the chat as Open WebUI stores it: the messages as a list, and as a chain by their ids."""
    messages = list(_chain(thread))
    return {
        "title": thread.title,
        "models": [thread.agent_key],
        "params": {},
        "files": [],
        "tags": [],
        "timestamp": _milliseconds(thread.queued_at),
        "messages": messages,
        "history": {
            "messages": {message["id"]: message for message in messages},
            "currentId": messages[-1]["id"],
        },
        MARK: {"run_id": thread.run_id, "agent_key": thread.agent_key},
    }


def pause_after(attempts: int) -> timedelta | None:
    """Return how long to wait after so many failures in a row; None when it is time to give up."""
    if attempts >= MOST_ATTEMPTS:
        return None
    doubled: int = 2 ** (attempts - 1)
    return min(_FIRST_PAUSE * doubled, _LONGEST_PAUSE)


def _chain(thread: Thread) -> Iterator[Document]:
    said = (*thread.messages, *_link(thread))
    ids = [str(uuid5(NAMESPACE_URL, f"{thread.run_id}#{index}")) for index in range(len(said))]
    for index, message in enumerate(said):
        by = {"model": thread.agent_key, "modelName": thread.agent_name, "done": True}
        yield {
            "id": ids[index],
            "parentId": ids[index - 1] if index else None,
            "childrenIds": ids[index + 1 : index + 2],
            "role": message.role,
            "content": message.text,
            "timestamp": _milliseconds(message.at) // 1_000,
            **(by if message.role == "assistant" else {}),
        }


def _link(thread: Thread) -> Sequence[Message]:
    if thread.address is None:
        return ()
    return (Message("assistant", f"[All of this run, with its proposals]({thread.address})", thread.messages[-1].at),)


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000)
