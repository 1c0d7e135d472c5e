"""What cases are done on: a MongoDB of their own, and the model of the settings or, without a key, the offline one."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.local.mongo import MongoServer
from infra.local.ports import free_port
from infra.offline_model.server import serving
from services.runner.agents.continuation import Continuations
from services.runner.app import handlers
from services.runner.documents import documents, embedder_of
from services.runner.tools.tool import stores_of
from services.runner.work import Handler
from shared.clock import utc_now
from shared.llm.openai_client import OpenAIModel
from shared.settings import RunnerSettings, ServiceSettings
from shared.store.mongo import Mongo
from shared.store.provision import provision_store
from shared.store.sessions import SessionStore

OFFLINE = "the offline model"


@dataclass(frozen=True, slots=True)
class Model:
    """A model that is there: how to reach it, and its name for people."""

    settings: RunnerSettings
    name: str

    @property
    def is_offline(self) -> bool:
        return self.name == OFFLINE


@asynccontextmanager
async def chosen_model(settings: RunnerSettings) -> AsyncIterator[Model]:
    """Give the model of the settings; without a key and an endpoint, serve the offline one until the block ends."""
    if settings.openai_api_key.get_secret_value() or settings.openai_base_url:
        names = dict.fromkeys((settings.openai_reasoning_model, settings.openai_fast_model))
        yield Model(settings, " and ".join(names))
        return
    async with serving() as address:
        yield Model(settings.model_copy(update={"openai_base_url": f"{address}/v1"}), OFFLINE)


@asynccontextmanager
async def own_database() -> AsyncIterator[Mongo]:
    """Give an empty, provisioned database on a server that ends with the block. Raises a LocalError."""
    with TemporaryDirectory(prefix="towpath-evals-") as folder:
        server = MongoServer(free_port(), Path(folder) / "mongod")
        await asyncio.to_thread(server.start)
        mongo = Mongo(ServiceSettings(mongodb_url=server.url, mongodb_database="evals"))
        try:
            await provision_store(mongo.database)
            yield mongo
        finally:
            mongo.close()
            await asyncio.to_thread(server.stop)


@asynccontextmanager
async def runner_handlers(model: Model, mongo: Mongo) -> AsyncIterator[Mapping[str, Handler]]:
    """Give the handlers of a runner, on this model and with what is in this database."""
    settings = model.settings
    client = OpenAIModel(settings.openai_api_key.get_secret_value(), settings.openai_base_url, utc_now)
    try:
        stores = stores_of(mongo.database)
        continuations = Continuations(SessionStore(mongo.database), utc_now, settings.job_output_characters)
        kept = documents(settings, mongo, embedder_of(settings, client), utc_now)
        yield handlers(settings, client, stores, kept, continuations)
    finally:
        await client.close()
