"""What crosses a process boundary: events, ids, subjects, streams, and what an Agent author writes."""
