"""The durable event store: events per second, and what ``kill -9`` costs: ``python -m benchmarks.store --json``."""
