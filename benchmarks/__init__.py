"""Control quality and speed, against rivals, in one run: ``python -m benchmarks.NAME --json``.

Small result files live in ``results/``, with the versions that produced them.
"""
