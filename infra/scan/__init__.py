"""How well the scan of tickets finds what was planted among thousands of them, and what it takes."""
