"""Speed of the field protocols over loopback, one module per protocol: ``python -m benchmarks.bridges --json``."""
