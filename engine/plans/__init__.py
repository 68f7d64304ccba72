"""Timing plans: splits, cycles, offsets and day plans from demand, for every junction's fallback.

``retime`` is the way in: a site and its demand give the site with plans, and what is expected of them. Imports only
``engine``; needs scipy.
"""
