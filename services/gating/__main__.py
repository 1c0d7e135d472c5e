"""`python -m services.gating`."""

from services.gating.app import run
from shared.process import run_service
from shared.settings import GatingSettings

run_service("gating", GatingSettings, run)
