"""A provisioned database, as the tests of the stores have it."""

from tests.integration.store.conftest import mongo

__all__ = ["mongo"]
