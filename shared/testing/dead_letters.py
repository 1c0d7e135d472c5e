"""Dead letters kept in memory, for tests of what buries them."""

from shared.errors import StorageUnavailable
from shared.messaging.delivery import Undeliverable


class KeptLetters:
    """Keeps messages in a list, in their order; `is_away` refuses them as a server that is away would."""

    def __init__(self) -> None:
        self.kept: list[Undeliverable] = []
        self.is_away = False

    async def keep(self, message: Undeliverable) -> None:
        """Keep the message, or raise StorageUnavailable."""
        if self.is_away:
            raise StorageUnavailable("Dead letters cannot be kept now.", retry_after_seconds=0.0)
        self.kept.append(message)
