"""SUMO: network import into the model, loops, SUMO as a bridge, the closed loop, trip metrics, experiments.

May import everything but ``cli`` and ``benchmarks``.
"""
