"""The numba core: detectors and their health, estimation, local control, signal machine, interlock, event coding.

Arrays and scalars in, results into arrays that the caller owns: a kernel does no I/O, cannot fail and does not
allocate. All junctions advance in one call. ``detectors`` and ``health`` turn on and off events into what can be
trusted, ``estimation`` into queues and arrivals; ``local`` decides where no controller does; ``machine`` takes groups
from stage to stage; ``interlock`` judges every lamp by its own tables; ``coding`` writes what was shown. Imports
``engine.model`` only.
"""
