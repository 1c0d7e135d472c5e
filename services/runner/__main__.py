"""`python -m services.runner`."""

from services.runner.app import run
from shared.process import run_service
from shared.settings import RunnerSettings

run_service("runner", RunnerSettings, run)
