"""Whether tests that can take long shall: `LONG_TESTS=1`, as in `./taskw test:long`."""

import os

LONG = os.environ.get("LONG_TESTS", "") not in {"", "0"}
