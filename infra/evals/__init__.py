"""Evaluation sets: cases of every built-in Agent on a model, judged by what must and must not come of them."""
