"""How well the estimation knows what it cannot see, on recorded runs: ``python -m benchmarks.estimation --json``.

``recording`` runs SUMO once and keeps what the loops said, what the lamps showed and where every vehicle was;
``truth`` makes queues and visits of the vehicles; ``replay`` feeds loops and lamps to the kernels without SUMO.
"""
