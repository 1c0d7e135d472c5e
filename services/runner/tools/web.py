"""The web as Exa finds and reads it. Importing its library takes two seconds, so that happens when it is first used."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from services.runner.tools.tool import ToolStops
from shared.clock import Clock
from shared.errors import NotNow, Permanent, Retryable
from shared.llm.retry_after import retry_after_seconds

if TYPE_CHECKING:
    from exa_py import AsyncExa

Found = dict[str, Any]

_SECONDS = 20.0
_USUAL_WAIT_SECONDS = 5.0
_SHOWN_CHARACTERS = 1_500
_PAGE_CHARACTERS = 20_000
_SERVER_ERRORS = 500


class WebRateLimited(NotNow):
    """Exa takes no more calls for now; `retry_after_seconds` is how long the run waits."""

    code = "web_rate_limited"


class WebUnavailable(Retryable):
    """Exa could not be reached, was too slow, or failed."""

    code = "web_unavailable"


class WebAccessRefused(ToolStops):
    """Exa does not accept EXA_API_KEY, or its account has no credit: no run can use the web until that is mended."""

    code = "web_access_refused"


class WebRequestRefused(Permanent):
    """Exa says that the search or the address is wrong, or it cannot read the page."""

    code = "web_request_refused"


@dataclass(slots=True)
class Web:
    """One connection pool to Exa, opened at the first call. `base_url` None means Exa's own."""

    api_key: str
    base_url: str | None
    clock: Clock
    _exa: "AsyncExa | None" = None
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def search(self, query: str, limit: int) -> list[Found]:
        """Return at most so many pages, each with `url`, `title`, `published`, and the beginning of its `text`."""
        exa = await self._opened()
        contents: Any = {"text": {"max_characters": _SHOWN_CHARACTERS}}
        answer = await _told(exa.search(query, num_results=limit, contents=contents))
        return [_page(each, _SHOWN_CHARACTERS) for each in answer.results[:limit]]

    async def page(self, url: str) -> Found:
        """Return one page; raises WebRequestRefused when it cannot be read."""
        exa = await self._opened()
        answer = await _told(exa.get_contents([url], text={"max_characters": _PAGE_CHARACTERS}))
        if not answer.results:
            raise WebRequestRefused(f"The page {url[:200]} cannot be read; look for another one.")
        return _page(answer.results[0], _PAGE_CHARACTERS)

    async def close(self) -> None:
        """Close the connections, if any were opened."""
        if self._exa is not None:
            await self._exa.aclose()

    async def _opened(self) -> "AsyncExa":
        async with self._opening:
            if self._exa is None:
                self._exa = await asyncio.to_thread(_open, self.api_key, self.base_url)
                # The library tells of a refusal in a text, without its headers.
                self._exa.client.event_hooks["response"].append(self._check)
            return self._exa

    async def _check(self, response: httpx.Response) -> None:
        """Raise what a refusal means; what Exa says of it may quote the search, so it is not repeated."""
        status = response.status_code
        match status:
            case 401 | 402 | 403:
                raise WebAccessRefused(f"Exa answered {status}: check that EXA_API_KEY is valid and has credit left.")
            case 429:
                wait = retry_after_seconds(response.headers, self.clock())
                seconds = _USUAL_WAIT_SECONDS if wait is None else wait
                raise WebRateLimited("Exa takes no more calls for now.", retry_after_seconds=seconds)
            case _ if status >= _SERVER_ERRORS:
                raise WebUnavailable(f"Exa answered {status}. It is at fault; it usually passes.")
            case _ if response.is_error:
                raise WebRequestRefused(f"Exa answered {status}: ask in other words, or for another page.")


def _open(api_key: str, base_url: str | None) -> "AsyncExa":
    from exa_py import AsyncExa

    return AsyncExa(api_key, base_url, timeout=_SECONDS) if base_url else AsyncExa(api_key, timeout=_SECONDS)


async def _told(answer: Awaitable[Any]) -> Any:
    try:
        async with asyncio.timeout(_SECONDS):
            return await answer
    except TimeoutError:
        raise WebUnavailable(f"Exa gave no answer within {_SECONDS:g} s.") from None
    except (httpx.HTTPError, ValueError, KeyError) as error:
        # Not chained: the library's errors quote what was sent.
        raise WebUnavailable(f"Exa could not be reached, or answered nonsense ({type(error).__name__}).") from None


def _page(result: Any, most: int) -> Found:
    """Return what matters of a result; its length is cut here again, whatever Exa kept to."""
    return {
        "url": result.url,
        "title": result.title,
        "published": result.published_date,
        "text": (result.text or "")[:most],
    }
