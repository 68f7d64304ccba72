"""Networks and demand: what other packages bring, what users bring, and what is generated here from a seed.

Imports ``engine`` only; runs SUMO's netconvert as a program, never the simulator.
"""
