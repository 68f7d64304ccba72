"""Simulated field controllers: the core that all protocols share. A front puts one on a socket; it owns the bytes.

The signal machine and the local control are those of ``engine``; the malfunction monitor is written apart from them.
"""
