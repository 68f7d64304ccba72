"""What turns events into timings, and events into knowledge.

``model`` is the static description, ``kernels`` the numba core, ``loop`` one tick for simulation and street,
``events`` the log schema, ``store`` the durable log, ``analytics`` the measures and reports.
Imports none of the other folders.
"""
