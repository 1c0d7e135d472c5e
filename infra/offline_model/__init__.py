"""A stand-in for a model provider: speaks the Responses and Embeddings API, follows rules, and is no AI."""
