"""Tests keep their compiled kernels in a folder named by the hash of the kernel sources, like every other entry."""

from __future__ import annotations

import os

from greensplit.engine.kernel_cache import use_kernel_cache

use_kernel_cache(os.environ)
