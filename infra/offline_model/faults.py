"""Faults on demand, so that tests can see what callers do about them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints, model_validator


class FaultKind(StrEnum):
    """What goes wrong; HTTP_STATUS stands for any status from 400 to 599."""

    HTTP_STATUS = "http_status"
    SLOW = "slow"
    MALFORMED = "malformed"
    CUT = "cut"
    FAILED = "failed"
    REFUSAL = "refusal"
    INCOMPLETE = "incomplete"
    INVALID_OUTPUT = "invalid_output"
    TOOL_CALL = "tool_call"
    STUCK = "stuck"


class Request(StrEnum):
    """Which request of a caller a fault hits."""

    CREATE = "create"
    RETRIEVE = "retrieve"
    CANCEL = "cancel"


_OF_ANY_REQUEST = frozenset({FaultKind.SLOW, FaultKind.MALFORMED, FaultKind.CUT})
_NAMED = "|".join(kind for kind in FaultKind if kind is not FaultKind.HTTP_STATUS)


class FaultSpec(BaseModel):
    """One entry of `POST /faults`.

    `kind` is an HTTP status such as `429`, or a name: `slow` answers after `seconds` more; `malformed` is a body that
    is no JSON; `cut` closes the connection in the middle of the body; `failed` is a response with the status `failed`
    and the error `code`; `refusal` declines; `incomplete` stops half-way for `reason`; `invalid_output` is JSON that
    fits no schema; `tool_call` asks for the function named `code` with these `arguments`, JSON text or any JSON;
    `stuck` never ends by itself. `retry_after` is sent as the header of that name, `code` and `param` as those of the
    error. `on` is the request that is hit; reading and cancelling know the kinds that are no answers. `match` is looked
    for in the input, in the values of the metadata and, when reading or cancelling, in the response's id; without it
    every request counts.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Annotated[str, StringConstraints(pattern=rf"^([45]\d\d|{_NAMED})$")]
    times: int = Field(default=1, ge=1, le=1_000_000)
    on: Request = Request.CREATE
    match: str | None = None
    seconds: float = Field(default=5.0, ge=0, le=3_600)
    retry_after: float | str | None = None
    code: str | None = None
    param: str | None = None
    reason: str = "max_output_tokens"
    arguments: JsonValue = "{}"

    @model_validator(mode="after")
    def _hits_what_it_can(self) -> Self:
        if self.on is not Request.CREATE and not (self.kind.isdigit() or self.kind in _OF_ANY_REQUEST):
            raise ValueError(f"a fault on '{self.on}' is a status, {', '.join(sorted(_OF_ANY_REQUEST))}")
        return self


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that is queued for `times` more requests."""

    spec: FaultSpec
    times: int

    @property
    def kind(self) -> FaultKind:
        """What goes wrong."""
        return FaultKind.HTTP_STATUS if self.spec.kind.isdigit() else FaultKind(self.spec.kind)

    def as_json(self) -> dict[str, Any]:
        """Return the fault as the endpoint shows it."""
        return {**self.spec.model_dump(exclude_none=True), "times": self.times}


class Faults:
    """The queue of faults; each request takes the first that matches it."""

    def __init__(self) -> None:
        self._queue: list[Fault] = []

    def add(self, specs: Iterable[FaultSpec]) -> None:
        """Queue faults behind those that wait already."""
        self._queue.extend(Fault(spec, spec.times) for spec in specs)

    def clear(self) -> None:
        """Forget all faults."""
        self._queue.clear()

    def waiting(self) -> list[dict[str, Any]]:
        """Return the faults that no request has taken yet."""
        return [fault.as_json() for fault in self._queue]

    def take(self, texts: Iterable[str], on: Request = Request.CREATE) -> Fault | None:
        """Return the fault for such a request about these texts, used up by one."""
        texts = tuple(texts)
        for index, fault in enumerate(self._queue):
            match = fault.spec.match
            if fault.spec.on is on and (match is None or any(match in text for text in texts)):
                self._queue[index : index + 1] = [replace(fault, times=fault.times - 1)] if fault.times > 1 else []
                return fault
        return None
