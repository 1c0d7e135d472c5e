"""The code that the pages show, run as it is written."""

import ast
import re
from typing import Any

import nats
import pytest

from infra.local.processes import ROOT
from tests.support.platform import Platform
from tests.support.waiting import until_seen

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("platform"),
    pytest.mark.timeout(120),
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
