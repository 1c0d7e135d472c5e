"""Whether tests that can take long shall: `LONG_TESTS=1`, as in `./taskw test:long`."""

import os

import pytest

LONG = os.environ.get("LONG_TESTS", "") not in {"", "0"}

only_when_long = pytest.mark.skipif(
    not LONG, reason="takes long, and others like it are run: LONG_TESTS=1 runs it, too"
)
