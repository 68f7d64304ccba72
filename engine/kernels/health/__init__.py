"""Detector health: which detectors tell the truth, and what stands for those that do not.

``assess`` is the entry; ``peers`` says who sees the same vehicles, ``bins`` counts and tests each detector by itself,
``conservation`` compares it with its peers, ``verdict`` decides and logs, ``substitution`` finds another source.
"""
