"""What becomes of the entries of an answer, kind by kind."""
