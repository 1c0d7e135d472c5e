"""What every test may use."""

import structlog
from hypothesis import settings
from structlog.dev import ConsoleRenderer, plain_traceback

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
