"""Serving a translator: configuration of the stock server, and clients."""
