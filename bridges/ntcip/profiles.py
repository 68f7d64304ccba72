"""What devices differ in, by name. The sources are field software that is known to run against them.

- ``standard``: NTCIP 1202 as written, SNMPv1, UDP port 161.
- ``econolite``: port 501, reliably one object per request, longer ones are answered tooBig.
- ``maxtime``: as the standard.
- ``dot_one``: scalars answer at ``.1`` only.
- ``vm``: port 6053, as virtual controllers have it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["PROFILES", "Profile"]


@dataclass(frozen=True, slots=True)
class Profile:
    """``port`` where the address names none; most objects in one request; what scalars end in."""

    port: int = 161
    max_varbinds: int = 32
    scalar_suffix: int = 0


PROFILES: Final = {
    "standard": Profile(),
    "econolite": Profile(port=501, max_varbinds=1),
    "maxtime": Profile(),
    "dot_one": Profile(scalar_suffix=1),
    "vm": Profile(port=6053),
}
