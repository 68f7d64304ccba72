"""What the tests of experiments share: the short plan's results from one local process, to compare others with."""

from __future__ import annotations

from functools import partial

import pytest

from greensplit.sim.experiments.comparison import Comparison, run_plan
from greensplit.sim.experiments.executor import local_pool

from .plans import short_plan, silent


@pytest.fixture(scope="session")
def in_one_process() -> Comparison:
    """The short plan, one run after the other."""
    return run_plan(short_plan(), partial(local_pool, 1), silent)
