"""The platform's own errors: each has a stable code, and says whether trying again can help."""

from typing import Any, ClassVar


class AppError(Exception):
    """An error that somebody is meant to read and act on.

    `code` is stable and machine-readable; the message names the thing, the values that collided and what to do
    next; `facts` go into logs and problem documents, so they never hold prompts, answers or secrets.
    """

    code: ClassVar[str] = "internal"

    def __init__(self, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts


class Retryable(AppError):
    """The same thing may succeed later; `retry_after_seconds` is what the other side asked for, if it did."""

    def __init__(self, message: str, retry_after_seconds: float | None = None, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.retry_after_seconds = retry_after_seconds


class NotNow(Retryable):
    """Nothing failed: the other side has no room at the moment."""


class Occupied(AppError):
    """Nothing failed: somebody else has what is needed; whoever waits for it is found under `key`."""

    def __init__(self, message: str, key: str) -> None:
        super().__init__(message)
        self.key = key


class Permanent(AppError):
    """Trying the same thing again cannot help."""


class LimitReached(Permanent):
    """The run may not go on; `partial` is what it has produced by then, which stays with it."""

    def __init__(self, message: str, partial: dict[str, Any], **facts: Any) -> None:
        super().__init__(message, **facts)
        self.partial = partial


class Unneeded(Permanent):
    """Nothing failed: there is nothing to do any more."""


class StorageUnavailable(Retryable):
    """MongoDB did not answer, or did not confirm a write, in time."""

    code = "storage_unavailable"


class MessagingUnavailable(Retryable):
    """NATS did not answer, or did not confirm a message, in time."""

    code = "messaging_unavailable"


class NotFound(Permanent):
    """There is no such document for this caller."""

    code = "not_found"


class Conflict(Permanent):
    """The document is not in the state that the request was made for."""

    code = "conflict"
