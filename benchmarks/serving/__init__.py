"""How many requests a second the local server answers, with and without batching."""
