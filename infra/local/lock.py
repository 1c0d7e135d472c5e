"""One supervisor per data folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.local.errors import DataFolderInUse

LOCK_FILE = "supervisor.lock"


@contextmanager
def sole_use(folder: Path) -> Iterator[None]:
    """Keep other supervisors out of the folder; raise `DataFolderInUse` when one is in it. A crash frees it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK_FILE).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            holder = lock.read().strip()
            raise DataFolderInUse(
                f"Towpath already runs in {folder} (pid {holder}). Stop it, or set DATA_DIR to another folder."
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
