"""The ``greensplit`` command: thin, one module per command group. Errors become one line and an exit code."""
