"""One module per policy: its Config and its Controller. A controller asks for stages; it never touches lamps.

Imports ``engine`` only.
"""
