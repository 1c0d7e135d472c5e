"""`python -m services.scheduler`."""

from services.scheduler.app import run
from shared.process import run_service
from shared.settings import SchedulerSettings

run_service("scheduler", SchedulerSettings, run)
