"""Tests keep their compiled kernels in a folder named by the hash of the kernel sources, like every other entry."""

from __future__ import annotations

import os

import pytest

from greensplit.engine.kernel_cache import use_kernel_cache

use_kernel_cache(os.environ)


def pytest_configure(config: pytest.Config) -> None:
    """Not among the filters in pyproject.toml: pytest would import numba for it before the folder is set."""
    config.addinivalue_line("filterwarnings", "ignore::numba.core.errors.NumbaDebugInfoWarning")
