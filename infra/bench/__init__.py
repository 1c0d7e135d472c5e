"""The benchmark: measures a whole Towpath on this machine, started for it and stopped after it."""
