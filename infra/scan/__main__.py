"""`python -m infra.scan`: plants doubles and contradictions among made-up tickets, scans them, and counts what was found.

Runs the runner's own handler in this process, on a MongoDB of its own that is gone afterwards, with the offline model
or, when OPENAI_API_KEY or OPENAI_BASE_URL is set, with real ones. Cost is counted where prices are given, in any
currency per million tokens.
"""

import argparse
import asyncio
import logging
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import structlog
from rich.console import Console

from contracts.agents import ModelTier
from infra.local.mongo import MongoServer
from infra.local.ports import free_port
from infra.offline_model.server import serving
from infra.scan.planting import plant
from infra.scan.report import Prices, again_as_table, as_table, misses
from infra.scan.scanning import Scanner
from services.runner.documents import documents, embedder_of
from shared.clock import utc_now
from shared.llm.openai_client import OpenAIModel
from shared.settings import RunnerSettings
from shared.store.mongo import Mongo
from shared.store.provision import provision_store

_WIDTH = 110


@asynccontextmanager
async def scanner(settings: RunnerSettings) -> AsyncIterator[tuple[Scanner, str]]:
    """Yield a scanner on servers of its own, and the name of what judges."""
    is_real = bool(settings.openai_api_key.get_secret_value() or settings.openai_base_url)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="towpath-scan-")))
        server = MongoServer(free_port(), folder / "mongo")
        await asyncio.to_thread(server.start)
        stack.callback(server.wipe)
        address = settings.openai_base_url if is_real else f"{await stack.enter_async_context(serving())}/v1"
        mongo = Mongo(settings.model_copy(update={"mongodb_url": server.url}))
        stack.callback(mongo.close)
        await provision_store(mongo.database)
        model = OpenAIModel(settings.openai_api_key.get_secret_value() or "offline", address, utc_now)
        stack.push_async_callback(model.close)
        found = documents(settings, mongo, embedder_of(settings, model), utc_now)
        models = {ModelTier.REASONING: settings.openai_reasoning_model, ModelTier.FAST: settings.openai_fast_model}
        name = settings.openai_reasoning_model if is_real else "the offline model (rules, no AI)"
        yield Scanner(mongo, model, models, found.embedder, found.retrieval, found.timeout_seconds), name


async def run(given: argparse.Namespace) -> None:
    """Plant, scan, scan once more, and print."""
    planted = plant(given.tickets, given.duplicates, given.conflicts, given.seed)
    prices = Prices(given.price_input, given.price_output, given.price_embedding)
    # The whole project is told in one go, which may take longer than an operation of a service.
    settings = RunnerSettings(mongodb_timeout_seconds=30.0)
    console = Console(width=_WIDTH, highlight=False)
    async with scanner(settings) as (scans, judge):
        await scans.tell(planted.tickets, utc_now())
        console.print(f"{given.tickets:,} tickets, seed {given.seed}, judged by {judge}.")
        found = await scans.scan()
        console.print(as_table(found, planted, prices))
        if given.show_misses:
            console.print(misses(found, planted, given.show_misses))
        console.print(again_as_table("Once more, nothing changed", await scans.scan(), prices))
        first = planted.tickets[0]
        await scans.tell([replace(first, title=f"{first.title} again")], utc_now())
        console.print(again_as_table("Once more, after one ticket was changed", await scans.scan(), prices))


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(prog="./taskw scan", description=__doc__)
    parser.add_argument("--tickets", type=int, default=5_000)
    parser.add_argument("--duplicates", type=int, default=50)
    parser.add_argument("--conflicts", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--show-misses",
        type=int,
        nargs="?",
        const=5,
        default=0,
        metavar="N",
        help="list up to N (5) of each kind of miss",
    )
    parser.add_argument("--price-input", type=float, help="of a million input tokens of the judging model")
    parser.add_argument("--price-output", type=float, help="of a million output tokens of it")
    parser.add_argument("--price-embedding", type=float, help="of a million tokens of the embedding model")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
