"""Run events as Server-Sent Events: each with its place in the stream, so that a reader who was cut off reads on."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import structlog
from fastapi.responses import StreamingResponse
from fastapi.sse import format_sse_event

from services.gateway.live_feed import Gap, Heard, LiveFeed
from services.gateway.problems import RequestInvalid
from shared.domain.run_feed import Position, Told, position_in
from shared.errors import AppError

log = structlog.get_logger()

MEDIA_TYPE = "text/event-stream"
START = "start"
_RECONNECT_MS = 1_000
_QUIET_SECONDS = 15.0
_LONGEST_SECONDS = 900.0
"""Then the reader comes again, with a token that still holds."""
_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}

_NAMES = {
    "run.started": "background_task_started",
    "run.completed": "background_task_completed",
    "run.failed": "background_task_error",
}
_STATUS = "background_agent_status"
_GAPS = {
    Gap.EXPIRED: "What came after Last-Event-ID is not all kept any more; what is kept follows. Read the runs again.",
    Gap.STREAM_REPLACED: "The stream was lost and made anew; all that it holds follows. Read the runs again.",
}


async def begin(feed: LiveFeed, after: str | None, *, from_start: bool = False) -> Position:
    """Return where a reader begins who has heard everything up to `after`; without one now, or at the start.

    Raises RequestInvalid, or MessagingUnavailable while nobody can say.
    """
    if after is not None and after != START:
        position = position_in(after)
        if position is None:
            raise RequestInvalid(
                f"after, or the header Last-Event-ID: '{after[:64]}' is no id of these events. Send the id of the last"
                f" one as it came, '{START}' for everything that is kept, or nothing."
            )
        return position
    now = await feed.now()
    return Position(now.created_ms, 0) if from_start or after == START else now


def stream(feed: LiveFeed, after: Position, pattern: str) -> StreamingResponse:
    """Return the answer that goes on for as long as the reader listens, a quarter of an hour at most."""
    return StreamingResponse(lines(feed, after, pattern, _LONGEST_SECONDS), headers=_HEADERS, media_type=MEDIA_TYPE)


async def lines(feed: LiveFeed, after: Position, pattern: str, longest_seconds: float) -> AsyncGenerator[bytes, None]:
    """Yield what is sent. It begins with an id, so that a reader who is cut off before the first event misses none."""
    yield format_sse_event(id=str(after), retry=_RECONNECT_MS)
    try:
        async with aclosing(feed.follow(after, pattern, _QUIET_SECONDS, longest_seconds)) as following:
            async for heard in following:
                yield sent(heard)
    except AppError as error:
        # The answer has begun, so all that can be said is its end; the reader comes again.
        log.warning("live_feed.cut", code=error.code, error=error.message)


def sent(heard: Heard) -> bytes:
    """Return the lines for what was heard; when nothing happened, a comment with the place reached."""
    if heard.gap is not None:
        data = f'{{"reason":"{heard.gap}","detail":"{_GAPS[heard.gap]}"}}'
        return format_sse_event(event="resync", id=str(heard.position), data_str=data)
    if not heard.told:
        return format_sse_event(comment="keep-alive", id=str(heard.position))
    return b"".join(_event(heard.position.created_ms, told) for told in heard.told)


def _event(created_ms: int, told: Told) -> bytes:
    name = _NAMES.get(told.type, _STATUS)
    return format_sse_event(event=name, id=str(Position(created_ms, told.sequence)), data_str=told.json)
