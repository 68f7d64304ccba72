"""From masks to a free stage: how a controller without rings reads hold, force-off, omit and call."""

from __future__ import annotations

from collections.abc import Sequence

from greensplit.engine.kernels.machine import KEEP

from ..field import Masks

__all__ = ["pick_stage"]


def pick_stage(greens: Sequence[int], masks: Masks, green: int, current: int) -> int:
    """The stage, of masks ``greens``, that the masks let come next where groups ``green`` show; KEEP for none.

    It has every held green, no green that is forced off and no other that is omitted. Of several it is that which
    serves most calls, then keeps most greens, then shows fewest others, then the ``current`` one, then the first.
    """
    held = masks.hold & green
    barred = masks.omit & ~green | masks.force_off & green & ~held
    allowed = [s for s, stage in enumerate(greens) if stage & held == held and not stage & barred]

    def merit(s: int) -> tuple[int, int, int, bool, int]:
        served, kept = greens[s] & masks.call, greens[s] & green
        others = greens[s] & ~(masks.call | green)
        return served.bit_count(), kept.bit_count(), -others.bit_count(), s == current, -s

    return max(allowed, key=merit) if allowed else KEEP
