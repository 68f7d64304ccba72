"""Bridges over real sockets on loopback: one module per protocol, each with ``measure() -> dict``."""
