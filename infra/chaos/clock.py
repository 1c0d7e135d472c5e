"""A process whose clock is wrong: the library `libfaketime` answers when it asks for the time of day."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from infra.local.errors import ServerMissing

_LIBRARY = Path("vendor", "libfaketime", "src", "libfaketime.so.1")


def clock_ahead(minutes: int) -> Mapping[str, str]:
    """Return the environment of a process whose wall clock is so far ahead; its timers run as always.

    Raises `ServerMissing` where the library is not installed.
    """
    return {
        "LD_PRELOAD": str(_library()),
        "FAKETIME": f"{minutes:+d}m",
        "DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",
    }


def _library() -> Path:
    found = find_spec("libfaketime")
    for folder in (found.submodule_search_locations or ()) if found is not None else ():
        library = Path(folder, _LIBRARY)
        if library.exists():
            return library
    raise ServerMissing(
        "libfaketime is not installed. Install the extra `local` (it is for Linux), or set no clock wrong."
    )
