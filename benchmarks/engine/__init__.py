"""Speed and memory of one tick for a city of junctions, on one core: ``python -m benchmarks.engine --json``."""
