"""The only door to a model: the port, its errors, and the adapter to the Responses API."""
