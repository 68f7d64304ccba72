"""Simulated NTCIP controllers for the benchmark: ``python -m benchmarks.bridges.ntcip_agents COUNT``.

Prints their ports on one line and answers until its standard input closes.
"""

from __future__ import annotations

import sys

from greensplit.bridges.standin.controller import StandIn
from greensplit.bridges.standin.ntcip import NtcipFront

from ..engine.city import city

V3_OPTIONS = {"user": "operator", "auth": "password-one", "priv": "password-two"}


def main() -> None:
    """All are the first junction of the benchmark's city."""
    junction = city(1).junctions[0]
    front = NtcipFront([StandIn(junction) for _ in range(int(sys.argv[1]))], V3_OPTIONS, lambda: 1000)
    front.open()
    sys.stdout.write(" ".join(map(str, front.ports)) + "\n")
    sys.stdout.flush()
    sys.stdin.read()
    front.close()


if __name__ == "__main__":
    main()
