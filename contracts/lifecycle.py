"""How the status of an Agent is changed."""

from enum import StrEnum


class Shutdown(StrEnum):
    """What a change of status does about runs that are open.

    `graceful`: running ones go on. `immediate`: running and queued ones are cancelled. `scheduled`: the change is made
    at a moment to come, and is graceful then.
    """

    GRACEFUL = "graceful"
    IMMEDIATE = "immediate"
    SCHEDULED = "scheduled"
