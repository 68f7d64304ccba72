"""Draws tables of measures as one self-contained HTML page: no scripts, no network.

The charts are those of UDOT's ATSPM: coordination diagram, split monitor, phase terminations, volume, arrivals on
red, split failures, approach delay and pedestrian delay. Reads tables only; computes no measure.
"""

from __future__ import annotations

from .page import Heading, charts_page

__all__ = ["Heading", "charts_page"]
