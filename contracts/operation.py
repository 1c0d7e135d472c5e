"""How an Agent is operated: what it is told of its surroundings, and what is written down about its runs."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

MOST_NAMES = 20


class LoggingLevel(StrEnum):
    """The least urgent log lines about an Agent's runs that a runner writes; `LOG_LEVEL` holds besides."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


Environment = Annotated[
    dict[
        Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")],
        Annotated[str, StringConstraints(pattern=r"^[^\r\n]*$", max_length=2_000)],
    ],
    Field(max_length=MOST_NAMES),
]
"""Names with a text of one line each, at most twenty. They are shown to the model and to readers: no secrets."""
