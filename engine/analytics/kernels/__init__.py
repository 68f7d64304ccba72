"""Kernels over the sorted events of one device: numba where polars would sort and window again and again.

A kernel calls only kernels of its own file: numba then notices every change by itself, and an edit here compiles
nothing of the control loop anew (``engine.kernel_cache``). They hold no lock, so devices run in parallel threads.
"""
