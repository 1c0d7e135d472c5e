"""What can go wrong when the local servers and services start, said so that a person can act on it."""


class LocalError(Exception):
    """A start that cannot succeed; its text names the thing at fault and what to do next."""


class PortTaken(LocalError):
    """Another process listens on a port that is needed."""


class ServerMissing(LocalError):
    """The program of a server is not installed."""


class StartFailed(LocalError):
    """A process ended, or stayed silent for too long, before it was ready."""


class DataFolderInUse(LocalError):
    """Another supervisor works in the same data folder."""
