"""The load generator: a process of its own, so that the cost of asking is not counted as the cost of answering."""
