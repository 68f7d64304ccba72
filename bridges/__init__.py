"""The way to the street: field protocols that fill the port of ``engine.loop``. Imports ``engine`` and ``controllers``.

SUMO, the bridge that the simulator uses, lives in ``sim``.
"""
