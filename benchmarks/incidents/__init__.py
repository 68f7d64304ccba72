"""Incident detection on an arterial with known truth: ``python -m benchmarks.incidents --json``."""
