"""Open WebUI over HTTP, as one of its users: the few requests that mirroring needs, and what their failures mean."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from shared.errors import Permanent, Retryable

Document = dict[str, Any]
_SHOWN = 200


class OpenWebUIUnavailable(Retryable):
    """Open WebUI cannot be reached, has an error of its own, or has no room now."""

    code = "open_webui_unavailable"


class OpenWebUIKeyRefused(Permanent):
    """Open WebUI does not take the user's key, or does not allow API keys."""

    code = "open_webui_key_refused"


class OpenWebUIRefused(Permanent):
    """Open WebUI takes the key, and not this request."""

    code = "open_webui_refused"


@dataclass(frozen=True, slots=True)
class OpenWebUI:
    """One user's access. Every method raises one of the errors above, none of which holds the key or an answer's text.

    Folders and chats that it returns have an `id`.
    """

    session: aiohttp.ClientSession
    url: str
    key: str
    timeout_seconds: float

    async def check(self) -> None:
        """Return when the key is that of a user."""
        await self._ask("GET", "/api/v1/auths/")

    async def folders(self) -> list[Document]:
        """Return the user's folders, not all with all of their `meta`."""
        return _list(await self._ask("GET", "/api/v1/folders/"))

    async def folder(self, folder_id: str) -> Document:
        """Return a folder with all of its `meta`."""
        return _object(await self._ask("GET", f"/api/v1/folders/{folder_id}"))

    async def create_folder(self, name: str, meta: Document) -> Document:
        """Create a folder; Open WebUI refuses a name that there is already."""
        return _object(await self._ask("POST", "/api/v1/folders/", {"name": name, "meta": meta}))

    async def chats(self, folder_id: str) -> list[Document]:
        """Return the chats of a folder that are not archived, with their content."""
        return _list(await self._ask("GET", f"/api/v1/chats/folder/{folder_id}"))

    async def create_chat(self, chat: Document, folder_id: str) -> str:
        """Create a chat in a folder and return its id."""
        made = _object(await self._ask("POST", "/api/v1/chats/new", {"chat": chat, "folder_id": folder_id}))
        chat_id = str(made["id"])
        if made.get("folder_id") != folder_id:
            # Older versions take no folder with a new chat.
            await self._ask("POST", f"/api/v1/chats/{chat_id}/folder", {"folder_id": folder_id})
        return chat_id

    async def toggle_archive(self, chat_id: str) -> None:
        """Archive a chat, or take it out of the archive."""
        await self._ask("POST", f"/api/v1/chats/{chat_id}/archive")

    async def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        headers = {"Authorization": f"Bearer {self.key}", "Accept": "application/json"}
        try:
            async with (
                asyncio.timeout(self.timeout_seconds),
                self.session.request(
                    method, f"{self.url}{path}", json=body, headers=headers, allow_redirects=False
                ) as answer,
            ):
                _check(answer.status, f"{method} {path}")
                return await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            why = type(error).__name__
            raise OpenWebUIUnavailable(
                f"{method} {path} of Open WebUI gave no answer that can be read: {why}."
            ) from None


def _check(status: int, what: str) -> None:
    if status in (401, 403):
        raise OpenWebUIKeyRefused(
            f"Open WebUI answered {status} to {what[:_SHOWN]}. Make a new API key there and connect again; an admin has to"
            " allow API keys for these addresses."
        )
    if status == 429 or status >= 500:
        raise OpenWebUIUnavailable(f"Open WebUI answered {status} to {what[:_SHOWN]}.")
    if not 200 <= status < 300:
        raise OpenWebUIRefused(f"Open WebUI answered {status} to {what[:_SHOWN]}.")


def _list(answer: Any) -> list[Document]:
    if not isinstance(answer, list):
        raise OpenWebUIUnavailable("OPEN_WEBUI_URL does not answer as Open WebUI does: a list was asked for.")
    return [_object(each) for each in answer]


def _object(answer: Any) -> Document:
    if not isinstance(answer, dict) or "id" not in answer:
        raise OpenWebUIUnavailable(
            "OPEN_WEBUI_URL does not answer as Open WebUI does: something with an id was asked for."
        )
    return answer
