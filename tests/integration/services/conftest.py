"""A provisioned database and a provisioned NATS server, as the tests of stores and of messaging have them."""

from tests.integration.messaging.conftest import client, publisher
from tests.integration.store.conftest import mongo

__all__ = ["client", "mongo", "publisher"]
