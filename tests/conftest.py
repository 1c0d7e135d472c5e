"""What every test may use."""

import pytest
import structlog
from hypothesis import settings
from structlog.dev import ConsoleRenderer, plain_traceback

from infra.local.processes import ROOT
from tests.support.warm import start_services_warm

pytest_plugins = ["tests.support.servers", "tests.support.aimock"]

# How long an example takes says more of the machine than of the code.
settings.register_profile("towpath", deadline=None)
settings.load_profile("towpath")

# By default every frame of an error is shown with its variables, which takes seconds and nobody reads.
structlog.configure(
    processors=[*structlog.get_config()["processors"][:-1], ConsoleRenderer(exception_formatter=plain_traceback)]
)

start_services_warm()

_ON_REAL_SERVERS = {"conformance", "e2e", "integration"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give what runs on real servers a second try: on a busy machine one of thousands fails for want of time.

    It is listed as RERUN, and is a fault of the test or of the code all the same.
    """
    for item in items:
        if item.path.relative_to(ROOT / "tests").parts[0] in _ON_REAL_SERVERS:
            item.add_marker(pytest.mark.flaky(reruns=1))
