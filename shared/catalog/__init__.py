"""The built-in Agents, as data."""
