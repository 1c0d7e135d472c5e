"""The demo: a day of two product teams, or somebody's own events, played against the whole platform."""
