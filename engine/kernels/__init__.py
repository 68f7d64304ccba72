"""The numba core: detectors, signal machine, interlock, event coding.

Arrays and scalars in, results into arrays that the caller owns: a kernel does no I/O, cannot fail and does not
allocate. All junctions advance in one call. Imports ``engine.model`` only.
"""
