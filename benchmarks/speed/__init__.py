"""Speed beside real peers: `python -m benchmarks.speed` prints one table."""
