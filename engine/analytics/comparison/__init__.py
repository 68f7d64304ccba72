"""Before and after: which inputs are compared, what changed between them and how sure that is.

``sides`` reads runs, event logs, trip and probe tables; ``matching`` pairs their days or seeds; ``effects`` judges;
``findings`` is all that was found, in one value that the page, the table and ``--json`` show alike. Imports only from
``engine``; knows no HTML.
"""

from __future__ import annotations

from .findings import Findings, compare_sides
from .periods import parse_periods
from .question import Question
from .sides import open_sides

__all__ = ["Findings", "Question", "compare_sides", "open_sides", "parse_periods"]
