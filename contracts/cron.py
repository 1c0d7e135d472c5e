"""Cron expressions: five fields, as Debian's cron reads them, checked before anything is scheduled by them."""

from datetime import UTC, datetime
from itertools import islice
from typing import Annotated, Final

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, StringConstraints

_FIELDS: Final = ("minute", "hour", "day of month", "month", "day of week")
_ANY_DAY: Final = datetime(2000, 1, 1, tzinfo=UTC)


def _checked(expression: str) -> str:
    fields = expression.split()
    if len(fields) != len(_FIELDS):
        raise ValueError(f"'{expression}' has {len(fields)} fields; there must be five: {', '.join(_FIELDS)}")
    for number, (name, field) in enumerate(zip(_FIELDS, fields, strict=True)):
        if not _is_cron(" ".join([*["*"] * number, field, *["*"] * (len(_FIELDS) - number - 1)])):
            raise ValueError(f"'{field}' cannot be the {name}, in '{expression}'")
    text = " ".join(fields)
    if not _is_cron(text) or not list(islice(CronSim(text, _ANY_DAY), 1)):
        raise ValueError(f"'{expression}' is never due: no month that it names has such a day")
    return text


def _is_cron(expression: str) -> bool:
    try:
        CronSim(expression, _ANY_DAY)
    except CronSimError:
        return False
    return True


CronText = Annotated[str, StringConstraints(min_length=9, max_length=128), AfterValidator(_checked)]
"""`minute hour day-of-month month day-of-week`, such as `30 7 * * MON-FRI`; fields are parted by single spaces."""
