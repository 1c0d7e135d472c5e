"""Creates the indexes that the queries of the stores need; doing it again changes nothing."""

from pymongo import IndexModel

from shared.store import (
    agent_figures,
    agents,
    bindings,
    bodies,
    cooldowns,
    dead_letters,
    documents,
    events,
    idleness,
    inbox,
    jobs,
    lifecycle,
    memory,
    open_webui,
    proposals,
    replays,
    retention,
    runs,
    schedules,
    session_messages,
    sessions,
    steps,
    threads,
    ticket_news,
    ticket_pairs,
    tickets,
)
from shared.store.mongo import Database, storage_errors

INDEXES: dict[str, list[IndexModel]] = {
    "events": events.INDEXES + ticket_news.EVENT_INDEXES,
    "runs": runs.INDEXES + agent_figures.INDEXES + replays.RUN_INDEXES + threads.INDEXES,
    "steps": steps.INDEXES,
    "bodies": bodies.INDEXES,
    "agents": agents.AGENT_INDEXES + lifecycle.AGENT_INDEXES,
    "agent_changes": lifecycle.INDEXES,
    "agent_versions": agents.VERSION_INDEXES,
    "bindings": bindings.INDEXES,
    "schedules": schedules.INDEXES,
    "idleness": idleness.INDEXES,
    "memory_blocks": memory.INDEXES,
    "memory_versions": memory.VERSION_INDEXES,
    "proposals": proposals.INDEXES + inbox.INDEXES + retention.PROPOSAL_INDEXES,
    "jobs": jobs.INDEXES,
    "sessions": sessions.INDEXES,
    "session_messages": session_messages.INDEXES,
    "cooldowns": cooldowns.INDEXES,
    "replays": replays.INDEXES + retention.REPLAY_INDEXES,
    "dead_letters": dead_letters.INDEXES,
    "documents": documents.INDEXES,
    "chunks": documents.CHUNK_INDEXES,
    "open_webui_connections": open_webui.INDEXES,
    "tickets": tickets.INDEXES,
    "ticket_pairs": ticket_pairs.INDEXES,
}


async def provision_store(database: Database) -> None:
    """Create every collection's indexes."""
    with storage_errors():
        for collection, indexes in INDEXES.items():
            await database[collection].create_indexes(indexes)
