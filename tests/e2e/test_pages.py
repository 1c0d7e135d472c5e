"""The code that the pages show, run as it is written."""

import ast
import asyncio
import re
import sys
from typing import Any

import nats
import pytest

from infra.local.processes import ROOT
from tests.support.platform import Platform
from tests.support.waiting import until_seen

NATS = "nats://127.0.0.1:4222"

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("platform"),
    pytest.mark.timeout(60),
]


def _code(page: str, heading: str) -> str:
    """Return the first block of Python below a heading."""
    text = (ROOT / "docs" / page).read_text().partition(f"\n## {heading}\n")[2]
    found = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert found
    return found[1]


async def test_an_event_is_published_straight_to_nats_as_the_page_says(platform: Platform, organisation: str) -> None:
    client = await nats.connect(platform.stack.nats_url)
    text = _code("events.md", "Publish straight to NATS").replace("acme", organisation)
    code = compile(text, "events.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    names: dict[str, Any] = {"jetstream": client.jetstream()}

    await eval(code, names)  # noqa: S307 - it is the code of the page that is tested

    await client.close()
    caller = platform.caller(organisation, names["event"].userid)
    await until_seen(caller.runs, lambda runs: any(run["trigger"]["event_id"] == names["event"].id for run in runs))


async def test_dead_letters_are_listed_as_the_page_says(platform: Platform) -> None:
    client = await nats.connect(platform.stack.nats_url)
    await client.jetstream().publish("event.checkin.submitted.acme", b"no event")
    await client.close()

    async def listed() -> str:
        code = _code("operations.md", "Dead letters").replace(NATS, platform.stack.nats_url)
        script = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
        printed, _ = await script.communicate()
        assert script.returncode == 0
        return printed.decode()

    await until_seen(listed, lambda printed: "event_unreadable: The event is not JSON" in printed)
