"""The static description of a city: junctions, signal groups, stages, intergreens, detectors, links.

Written and read as TOML, checked by ``validate``, compiled into arrays for the kernels by ``compiled``.
Imports only ``engine.errors``.
"""
