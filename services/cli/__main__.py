"""`python -m services.cli`, and `towpath` once it is set up."""

import sys

from services.cli.app import run

if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
