"""A server on loopback that speaks as much of Open WebUI's API as Towpath asks for, in the shapes recorded of it.

It refuses what Open WebUI would refuse: an unknown key (401), a folder name that there is (400), a body of another shape
(422), somebody else's folder (404) and chat (401). Lists of folders hold of `meta` only the icon, and archiving, which is a
toggle, takes a chat out of its folder.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from aiohttp import web

Document = dict[str, Any]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

KEY = "sk-of-tests-0123456789"
USER = "user-of-the-key"
_CHAT_FIELDS = {"title", "models", "params", "files", "tags", "timestamp", "messages", "history", "towpath"}
_MESSAGE_FIELDS = {"id", "parentId", "childrenIds", "role", "content", "timestamp"}
_BY_A_MODEL = {"model", "modelName", "done"}
_NOW = 1_795_000_000


@dataclass(slots=True)
class FakeOpenWebUI:
    """`refusals` are statuses that the next requests get; `lost` are paths whose next answer is lost after it was done."""

    keys: set[str] = field(default_factory=lambda: {KEY})
    folders: dict[str, Document] = field(default_factory=dict)
    chats: dict[str, Document] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    refusals: list[int] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    takes_folder_of_new_chats: bool = True
    _ids: "count[int]" = field(default_factory=count)

    def folder(self, name: str, meta: Document | None = None) -> str:
        """Have a folder, as if the user had made it, and return its id."""
        folder_id = f"folder-{next(self._ids)}"
        self.folders[folder_id] = {
            "id": folder_id,
            "user_id": USER,
            "name": name,
            "parent_id": None,
            "meta": meta,
            "data": None,
            "items": None,
            "is_expanded": False,
            "created_at": _NOW,
            "updated_at": _NOW,
        }
        return folder_id

    def chat(self, chat: Document, folder_id: str | None = None) -> Document:
        """Have a chat, as if the user had made it."""
        chat_id = f"chat-{next(self._ids)}"
        self.chats[chat_id] = {
            "id": chat_id,
            "user_id": USER,
            "title": chat.get("title", "New Chat"),
            "chat": chat,
            "folder_id": folder_id,
            "archived": False,
            "pinned": False,
            "meta": {},
            "share_id": None,
            "created_at": _NOW,
            "updated_at": _NOW,
        }
        return self.chats[chat_id]

    def titles(self, *, archived: bool = False) -> list[str]:
        """Return the titles of the chats that are archived, or are not."""
        return [chat["title"] for chat in self.chats.values() if chat["archived"] is archived]

    async def session_user(self, _: web.Request) -> web.Response:
        return web.json_response({"id": USER, "email": "ada@example.com", "name": "Ada", "role": "user"})

    async def list_folders(self, _: web.Request) -> web.Response:
        shown = ("id", "name", "parent_id", "is_expanded", "created_at", "updated_at")
        return web.json_response(
            [{**{name: folder[name] for name in shown}, "meta": {"icon": None}} for folder in self.folders.values()]
        )

    async def show_folder(self, request: web.Request) -> web.Response:
        return web.json_response(self._known(self.folders, request, web.HTTPNotFound))

    async def create_folder(self, request: web.Request) -> web.Response:
        body = await request.json()
        _require(set(body) <= {"name", "data", "meta", "parent_id"} and isinstance(body.get("name"), str))
        if body["name"].lower() in {folder["name"].lower() for folder in self.folders.values()}:
            raise web.HTTPBadRequest(text='{"detail": "Folder already exists"}')
        return web.json_response(self.folders[self.folder(body["name"], body.get("meta"))])

    async def chats_of_folder(self, request: web.Request) -> web.Response:
        folder_id = request.match_info["id"]
        return web.json_response(
            [chat for chat in self.chats.values() if chat["folder_id"] == folder_id and not chat["archived"]]
        )

    async def create_chat(self, request: web.Request) -> web.Response:
        body = await request.json()
        _require(set(body) <= {"chat", "folder_id"} and _is_chat(body.get("chat")))
        folder_id = body.get("folder_id") if self.takes_folder_of_new_chats else None
        return web.json_response(self.chat(body["chat"], folder_id))

    async def move_chat(self, request: web.Request) -> web.Response:
        chat = self._known(self.chats, request, web.HTTPUnauthorized)
        chat["folder_id"] = (await request.json())["folder_id"]
        return web.json_response(chat)

    async def toggle_archive(self, request: web.Request) -> web.Response:
        chat = self._known(self.chats, request, web.HTTPUnauthorized)
        chat |= {"archived": not chat["archived"], "folder_id": None}
        return web.json_response(chat)

    def _known(self, documents: dict[str, Document], request: web.Request, error: type[web.HTTPError]) -> Document:
        found = documents.get(request.match_info["id"])
        if found is None:
            raise error(text='{"detail": "not found"}')
        return found

    @web.middleware
    async def first(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Note the request, refuse it if it is to be, and lose the answer if that is to be lost."""
        self.asked.append(f"{request.method} {request.path}")
        if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self.keys:
            raise web.HTTPUnauthorized(text='{"detail": "401 Unauthorized"}')
        if self.refusals:
            return web.json_response({"detail": "refused"}, status=self.refusals.pop(0))
        answer = await handler(request)
        if request.path in self.lost:
            self.lost.remove(request.path)
            return web.Response(status=502, text="Bad Gateway")
        return answer


def _require(is_valid: bool) -> None:  # a claim, not an option
    if not is_valid:
        raise web.HTTPUnprocessableEntity(text='{"detail": []}')


def _is_chat(chat: Any) -> bool:
    """Whether a chat has the recorded shape: every message once in the list, once by its id, and chained both ways."""
    if not isinstance(chat, dict) or set(chat) != _CHAT_FIELDS or not isinstance(chat["messages"], list):
        return False
    messages, history = chat["messages"], chat["history"]
    ids = [message["id"] for message in messages]
    parents, children = [None, *ids[:-1]], [[following] for following in ids[1:]] + [[]]
    return (
        history == {"messages": {message["id"]: message for message in messages}, "currentId": ids[-1]}
        and [message["parentId"] for message in messages] == parents
        and [message["childrenIds"] for message in messages] == children
        and all(
            set(message) == _MESSAGE_FIELDS | (_BY_A_MODEL if message["role"] == "assistant" else set())
            for message in messages
        )
    )


@asynccontextmanager
async def an_open_webui(fake: FakeOpenWebUI) -> AsyncIterator[str]:
    """Serve it until the block ends, and give its address."""
    app = web.Application(middlewares=[fake.first])
    app.add_routes(
        [
            web.get("/api/v1/auths/", fake.session_user),
            web.get("/api/v1/folders/", fake.list_folders),
            web.post("/api/v1/folders/", fake.create_folder),
            web.get("/api/v1/folders/{id}", fake.show_folder),
            web.post("/api/v1/chats/new", fake.create_chat),
            web.get("/api/v1/chats/folder/{id}", fake.chats_of_folder),
            web.post("/api/v1/chats/{id}/folder", fake.move_chat),
            web.post("/api/v1/chats/{id}/archive", fake.toggle_archive),
        ]
    )
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
