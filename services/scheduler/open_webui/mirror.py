"""Mirroring one ended run: the folder of its Agent, its chat in it, and the chats of before archived."""

from services.scheduler.open_webui.client import OpenWebUI
from shared.domain.open_webui import Thread, chat_of, folder_meta, folder_names, is_folder_of, run_of_chat


async def mirror(client: OpenWebUI, thread: Thread) -> str:
    """Show the thread as a chat and return the chat's id; a run that is shown already gets no second one.

    It may be repeated after any failure: what there is already is found again by the run's mark. Chats of the user's own
    stay as they are, wherever they are.
    """
    folder_id = await _folder(client, thread)
    shown = {run_id: chat["id"] for chat in await client.chats(folder_id) if (run_id := run_of_chat(chat)) is not None}
    chat_id = shown.get(thread.run_id) or await client.create_chat(chat_of(thread), folder_id)
    for run_id, earlier in shown.items():
        if run_id != thread.run_id:
            # Asking again would undo it. An archived chat is not among those of the folder, so none is asked twice.
            await client.toggle_archive(earlier)
    return chat_id


async def _folder(client: OpenWebUI, thread: Thread) -> str:
    """Return the Agent's folder, made if there is none; one of the user's own with its name is left alone."""
    names = folder_names(thread)
    taken = set()
    for folder in await client.folders():
        called = str(folder.get("name")).casefold()
        if folder.get("parent_id") is None and called in {name.casefold() for name in names}:
            taken.add(called)
            if is_folder_of(thread.agent_key, await client.folder(folder["id"])):
                return str(folder["id"])
    name = next((name for name in names if name.casefold() not in taken), names[-1])
    made = await client.create_folder(name, folder_meta(thread.agent_key))
    return str(made["id"])
