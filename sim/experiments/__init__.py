"""Many runs at once: which ones, where they run, and what they say together.

``plan`` turns names and seeds into specifications, ``executor`` runs them in local processes or on a Dask cluster,
``worker`` is what each of those processes does, ``table`` compares controllers over seeds.
"""
