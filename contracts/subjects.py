"""The NATS subjects, and how an id of any characters becomes one token of a subject."""

import base64
from functools import lru_cache
from urllib.parse import quote, unquote

from contracts.lanes import Queue

EVENT_SUBJECTS = "event.>"
RUN_SUBJECTS = "run.>"
RUN_EVENT_SUBJECTS = "runevent.>"
DEAD_SUBJECTS = "dead.>"

# quote() never leaves a "%" without two hexadecimal digits after it, so these two cannot be the encoding of an id.
_EMPTY = "%"
_BASE64 = "%~"
_NOBODY = "_"
# Percent encoding triples every byte; with three such ids a subject would pass the 4,096 bytes of a NATS control line.
_LONGEST_PERCENT_ENCODING = 400


@lru_cache(maxsize=8_192)
def token(id: str) -> str:
    """Return the id as one legal subject token: ASCII letters, digits, `-`, `_` and `~` stay, all else is encoded.

    Different ids give different tokens; the longest, for 128 characters of 4 bytes, has 685 characters.
    """
    if not id:
        return _EMPTY
    if id == _NOBODY:
        return "%5F"
    encoded = quote(id, safe="").replace(".", "%2E")
    if len(encoded) <= _LONGEST_PERCENT_ENCODING:
        return encoded
    return _BASE64 + base64.urlsafe_b64encode(id.encode()).decode().rstrip("=")


def id_of(token: str) -> str:
    """Return the id that `token` encoded."""
    if token == _EMPTY:
        return ""
    if token.startswith(_BASE64):
        text = token.removeprefix(_BASE64)
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    return unquote(token, errors="strict")


def last_id(subject: str) -> str:
    """Return the id in the last token: the organisation of an event's subject, the run of a run's subject."""
    return id_of(subject.rpartition(".")[2])


def event_subject(type: str, organisation: str) -> str:
    """Return where an event is published; the dot of its type stays, so that `event.doc.>` means every doc event."""
    return f"event.{type}.{token(organisation)}"


def run_subject(queue: Queue, run_id: str) -> str:
    """Return where a run is dispatched."""
    return f"run.{queue}.{token(run_id)}"


def queue_subjects(queue: Queue) -> str:
    """Return the filter for every run of one queue."""
    return f"run.{queue}.*"


def run_event_subject(organisation: str, user: str | None, agent_key: str, run_id: str) -> str:
    """Return where the life of a run is told; a run that belongs to no user has `_` in the user's place."""
    owner = _NOBODY if user is None else token(user)
    return f"runevent.{token(organisation)}.{owner}.{token(agent_key)}.{token(run_id)}"


def run_event_pattern(
    organisation: str, user: str | None = None, agent_key: str | None = None, run_id: str | None = None
) -> str:
    """Return the filter for the lives of an organisation's runs: all of them, or those of a user, an Agent, one run."""
    narrowed = ("*" if value is None else token(value) for value in (user, agent_key, run_id))
    return ".".join(("runevent", token(organisation), *narrowed))


def matches(subject: str, pattern: str) -> bool:
    """Return whether a subject is under a pattern of as many tokens, in which `*` stands for any one."""
    wanted, tokens = pattern.split("."), subject.split(".")
    return len(wanted) == len(tokens) and all(
        each in {"*", token_} for each, token_ in zip(wanted, tokens, strict=True)
    )


def dead_subject(kind: str, key: str) -> str:
    """Return where a dead letter is kept; `kind` says what died, `key` which one."""
    return f"dead.{token(kind)}.{token(key)}"


def presence_subject(service: str, instance: str | None = None) -> str:
    """Return where a service answers that it is alive: any instance of it, or the one named."""
    if instance is None:
        return f"presence.{token(service)}"
    return f"presence.{token(service)}.{token(instance)}"


def cancel_subject(runner_instance: str) -> str:
    """Return where one runner process is told which of its runs are to end."""
    return f"cancel.{token(runner_instance)}"


def gated_subject(gateway_instance: str) -> str:
    """Return where gating tells one gateway process what it decided."""
    return f"gated.{token(gateway_instance)}"
