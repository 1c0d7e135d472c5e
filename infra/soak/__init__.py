"""Simulated weeks: a whole Towpath under constant load, whose days are short, to see that nothing grows for ever."""
