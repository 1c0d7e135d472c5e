"""Reads everything back at the end: from the database, and from the journal of the model's provider."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import aiohttp
import orjson

from infra.chaos.account import Seen, SeenCall, SeenEffect, SeenRun
from infra.chaos.events import SOURCE
from infra.chaos.site import Site
from shared.store.mongo import Database, Document

_TIMEOUT: Final = aiohttp.ClientTimeout(total=60)
_FINISHED_CALL: Final = {"kind": "model_call", "finished_at": {"$ne": None}}
_RUN_FIELDS: Final = {"event_key": 1, "status": 1, "attempt": 1, "error.code": 1}


async def read_back(site: Site, organisations: Sequence[str]) -> Seen:
    """Return what is there of these organisations."""
    database = site.database
    mine = {"organisation": {"$in": list(organisations)}}
    runs = [_run(run) async for run in database["runs"].find(mine, _RUN_FIELDS)]
    ids = {run.id for run in runs}
    calls = [call for call in await provider_calls(site.model_url) if call.run_id in ids]
    return Seen(
        events=frozenset([event["_id"] async for event in database["events"].find(mine, {"_id": 1})]),
        undecided=await database["events"].count_documents({**mine, "source": SOURCE, "gated": False}),
        runs=runs,
        effects=[_effect(proposal) async for proposal in database["proposals"].find(mine, {"run_id": 1, "change": 1})],
        calls=calls,
        answered=await _answered(database, ids),
    )


async def provider_calls(model_url: str) -> list[SeenCall]:
    """Return every call of which the provider says for which run it was."""
    async with aiohttp.ClientSession(timeout=_TIMEOUT) as session, session.get(f"{model_url}/journal") as answer:
        calls: list[Document] = orjson.loads(await answer.read())["calls"]
    metadata = [call["metadata"] for call in calls if "run_id" in call["metadata"]]
    return [SeenCall(each["run_id"], int(each["attempt"])) for each in metadata]


async def _answered(database: Database, runs: set[str]) -> dict[str, list[int]]:
    answered: defaultdict[str, list[int]] = defaultdict(list)
    async for step in database["steps"].find(_FINISHED_CALL, {"run_id": 1, "attempt": 1}):
        if step["run_id"] in runs:
            answered[step["run_id"]].append(step["attempt"])
    return dict(answered)


def _run(run: Document) -> SeenRun:
    error = run.get("error") or {}
    return SeenRun(run["_id"], run["event_key"], run["status"], run["attempt"], error.get("code"))


def _effect(proposal: Document) -> SeenEffect:
    content = orjson.dumps(proposal["change"], option=orjson.OPT_SORT_KEYS).decode()
    return SeenEffect(proposal["run_id"], content)
