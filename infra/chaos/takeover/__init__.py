"""Measures how soon the runs of a killed runner run elsewhere, and that no runner that lives loses any."""
