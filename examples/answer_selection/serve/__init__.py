"""Serving an answer selector: configuration of the stock server, and clients."""
