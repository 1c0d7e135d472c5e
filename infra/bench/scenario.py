"""What a scenario is."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from infra.bench.figures import Section
from infra.bench.site import Needs, Site


@dataclass(frozen=True, slots=True)
class Scenario:
    """One measurement: what it needs, how long it may take at most, and how it is done."""

    name: str
    about: str
    needs: Needs
    limit_seconds: float
    measure: Callable[[Site], Awaitable[Section]]
