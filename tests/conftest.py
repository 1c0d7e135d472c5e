"""What every test may use."""

from hypothesis import settings

pytest_plugins = ["tests.support.servers", "tests.support.aimock"]

# How long an example takes says more of the machine than of the code.
settings.register_profile("towpath", deadline=None)
settings.load_profile("towpath")
