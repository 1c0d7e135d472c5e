"""Filters of triggers: expressions in CEL over an event or a member, checked when an Agent is written."""

import re
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import AfterValidator, StringConstraints

if TYPE_CHECKING:
    from cel import Program

VISIBLE: Final = ("event", "data")
"""What an expression may name: the attributes of the envelope, and the event's data."""

MEMBER: Final = "member"
MEMBER_ATTRIBUTES: Final = ("organisation", "project", "user", "timezone")
"""What an expression about a member may read, all texts; whoever is in no project has an empty one."""
ALL: Final = "all"
"""Instead of an expression: everybody."""

_FUNCTIONS: Final = frozenset(
    {
        "size", "contains", "startsWith", "endsWith", "matches", "int", "uint", "double", "string", "bytes", "type",
        "dyn", "duration", "timestamp", "getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek",
        "getDayOfYear", "getHours", "getMinutes", "getSeconds", "getMilliseconds",
    }
)  # fmt: skip
_LOOP: Final = re.compile(r"\b(?:all|exists|exists_one|existsOne|map|filter)\s*\(\s*(\w*)")
_PATTERN: Final = r"""r?(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
_COMPUTED_PATTERN: Final = re.compile(rf"\bmatches\b(?!\s*\(\s*{_PATTERN}\s*\))")
_ATTRIBUTE: Final = re.compile(r"\bmember\s*\.\s*(\w+)")
_WHERE: Final = re.compile(r"<input>:1:(\d+): (.*)")


@lru_cache(maxsize=2_048)
def compiled(expression: str) -> "Program":
    """Return the program of an expression, compiled once; raises ValueError with what is wrong and where."""
    # Brings a terminal library along, so only those processes load it that have a filter.
    import cel

    try:
        return cel.compile(expression)
    except ValueError as error:
        found = _WHERE.search(str(error))
        where = f"at character {found[1]}: {found[2][:200]}" if found else str(error)[:200]
        raise ValueError(f"it is no CEL expression, {where}") from None


def loops(expression: str) -> int:
    """Return how many macros of the expression go through a list; each may be inside the one before."""
    return len(_LOOP.findall(expression))


def _checked(expression: str, visible: tuple[str, ...]) -> str:
    program = compiled(expression)
    bound = {name for name in _LOOP.findall(expression) if name}
    if unknown := [name for name in program.variables() if name not in {*visible, *bound}]:
        named = " and ".join(f"'{name}'" for name in visible)
        raise ValueError(f"{_at(expression, unknown[0])}; an expression may name {named}")
    called = [name for name in program.functions() if name.isidentifier() and not name.startswith("_")]
    if unknown := [name for name in called if name not in _FUNCTIONS]:
        raise ValueError(f"{_at(expression, unknown[0])}; there are {', '.join(sorted(_FUNCTIONS))}")
    if "matches" in called and (found := _COMPUTED_PATTERN.search(expression)):
        raise ValueError(f"at character {found.start() + 1}: the pattern of 'matches' must be written out in quotes")
    return expression


def _at(expression: str, name: str) -> str:
    return f"at character {expression.find(name) + 1}: '{name}' is not known"


def _checked_member(expression: str) -> str:
    if expression == ALL:
        return expression
    _checked(expression, (MEMBER,))
    if unknown := [name for name in _ATTRIBUTE.findall(expression) if name not in MEMBER_ATTRIBUTES]:
        raise ValueError(f"a member has no '{unknown[0]}'; there are {', '.join(MEMBER_ATTRIBUTES)}")
    try:
        said = compiled(expression).execute({MEMBER: dict.fromkeys(MEMBER_ATTRIBUTES, "UTC")})
    except (KeyError, RuntimeError, TypeError, ValueError, ArithmeticError, IndexError) as error:
        raise ValueError(f"it fails on a member: {str(error)[:200]}") from None
    if not isinstance(said, bool):
        raise ValueError(f"it gives {type(said).__name__}, not true or false")  # noqa: TRY004  # pydantic wants it
    return expression


_OneLine = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\r\n\u2028\u2029]*$")]

Filter = Annotated[_OneLine, AfterValidator(partial(_checked, visible=VISIBLE))]
"""A CEL expression on one line that says true or false of an event, such as `data.status == 'open'`."""

MemberFilter = Annotated[_OneLine, AfterValidator(_checked_member)]
"""`all`, or a CEL expression on one line that says true or false of a member, such as `member.project == 'apollo'`."""
