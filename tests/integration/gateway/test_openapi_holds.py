"""Schemathesis asks every route whatever its document allows and forbids; every answer is one that was promised."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvicorn
from nats.aio.client import Client

from infra.api_documents import openapi
from infra.local.ports import free_port
from infra.local.tokens import mint
from services.gateway.app import create_app
from shared.settings import GatewaySettings
from shared.store.mongo import Mongo
from tests.integration.gateway.asking import SECRET
from tests.integration.gateway.seeded import AGENT, seed
from tests.integration.messaging.conftest import client
from tests.support.servers import RunningServer

__all__ = ["client"]

CHECKS = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")
ROLES = ("organisation_admin",)
MOSTLY = 0.8
AGENTS: Mapping[str, Sequence[str | int]] = {
    "path.key": [AGENT.key],
    "body.agent_key": [AGENT.key],
    "path.number": [1],
    "body.number": [1],
    "query.from": [1],
    "query.to": [1],
}
ENDLESS = "live events"
OPERATIONS = sum(
    ENDLESS not in operation["tags"] for item in openapi()["paths"].values() for operation in item.values()
)
EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES", "1")
# What is just beyond a border is two thirds of all requests, and left to the long form.
BORDERS = "all" if "SCHEMATHESIS_EXAMPLES" in os.environ else "positive"

pytestmark = pytest.mark.timeout(1_800)


@asynccontextmanager
async def served(settings: GatewaySettings) -> AsyncIterator[str]:
    """Yield the address of a gateway that is served by this process."""
    port = free_port()
    config = uvicorn.Config(create_app(settings), port=port, log_config=None, access_log=False)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await serving


def configuration(ids: Mapping[str, Sequence[str]]) -> str:
    """Return a configuration that has most requests name what is there."""
    known = {**{f"path.{name}": values for name, values in ids.items()}, **AGENTS}
    # Methods that a path does not have are the framework's business, and would be every second request.
    lines = ["[phases.coverage]", "unexpected-methods = []", "[phases.coverage.generation]", f'mode = "{BORDERS}"']
    for number, (parameter, values) in enumerate(known.items()):
        lines += [f"[dictionaries.d{number}]", f"values = {json.dumps(values)}"]
        lines += [f'[parameters."{parameter}"]', f'dictionary = "d{number}"', f"probability = {MOSTLY}"]
    return "\n".join(lines)


async def schemathesis(url: str, config: Path, *arguments: str) -> tuple[int, str]:
    """Run Schemathesis on all routes; return its exit code and what it printed."""
    token = mint(SECRET, "acme", "ada", ROLES)
    command = (sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run", f"{url}/openapi.json")
    options = ("--header", f"Authorization: Bearer {token}", "--checks", ",".join(CHECKS), "--no-color", *arguments)
    out = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, *options, cwd=config.parent, stdout=out, stderr=asyncio.subprocess.STDOUT
    )
    printed, _ = await process.communicate()
    return process.returncode or 0, printed.decode()


async def test_every_answer_is_one_that_the_document_promises(
    mongo: Mongo, mongo_server: RunningServer, mongo_database: str, clean_nats: str, client: Client, tmp_path: Path
) -> None:
    config = tmp_path / "schemathesis.toml"
    config.write_text(configuration(await seed(mongo)))
    settings = GatewaySettings(
        mongodb_url=mongo_server.url,
        mongodb_database=mongo_database,
        nats_url=clean_nats,
        auth_jwt_secret=SECRET,
        gate_wait_seconds=0,
    )

    async with served(settings) as url:
        exit_code, printed = await schemathesis(
            url, config, "--seed", "1", "--max-examples", EXAMPLES, "--generation-database", "none",
            "--wait-for-schema", "30", "--exclude-tag", ENDLESS,
        )  # fmt: skip

    assert exit_code == 0, printed
    assert f"Tested: {OPERATIONS}\n" in printed
