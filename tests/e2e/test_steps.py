"""A run of ten model calls whose runner is killed after each of them and during each of them: nothing is paid twice."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from itertools import batched, product
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from contracts.agents import AgentSpec, CallMode
from contracts.ids import event_key, run_id
from infra.local.parts import Part, towpath
from infra.local.settings import LocalSettings
from shared.clock import utc_now
from shared.settings import ServiceSettings
from shared.store.agents import AgentStore
from shared.store.mongo import Mongo
from tests.support.events import SOURCE, event
from tests.support.invariants import check_invariants
from tests.support.platform import DATABASE, Platform, running_platform
from tests.support.waiting import until_seen

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("steps"),
    pytest.mark.timeout(120),
]

Document = dict[str, Any]

CALLS = 10
LATENCY_MS = 200
STARTED_BY = "snapshot.requested"
