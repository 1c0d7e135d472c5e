"""Breaks a whole Towpath on purpose while it works, and counts what came of it."""
