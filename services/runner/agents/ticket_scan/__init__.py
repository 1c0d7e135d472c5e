"""The handler `ticket_scan`: likely pairs of tickets are found first, and only those are judged by a model."""
