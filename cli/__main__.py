"""The ``greensplit`` command: assembles the command groups, turns errors into one line and an exit code."""

from __future__ import annotations

import os
import sys

import typer

from greensplit.engine.errors import GreensplitError
from greensplit.engine.kernel_cache import use_kernel_cache

from .approve import approve
from .compare import compare
from .explain import explain
from .incidents import incidents
from .measures import measures
from .plan import plan
from .replay import replay
from .report import report
from .run import run
from .scenarios import scenarios_app
from .standin import standin

__all__ = ["app", "main"]

app = typer.Typer(
    name="greensplit",
    help="Adaptive traffic-signal control and analytics: detector streams in, safe signal timings out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(run)
app.command()(compare)
app.command()(plan)
app.command()(report)
app.command()(replay)
app.command()(explain)
app.command()(standin)
app.command()(approve)
app.command()(measures)
app.command()(incidents)
app.add_typer(scenarios_app, name="scenarios")

INTERRUPTED = 130


def main() -> None:
    """Run the command line; exit code 0 ok, 1 the work failed, 2 the input was wrong."""
    use_kernel_cache(os.environ)
    try:
        app()
    except GreensplitError as err:
        sys.stderr.write(f"greensplit: {' '.join(str(err).split())}\n")
        sys.exit(err.exit_code)
    except KeyboardInterrupt:
        sys.stderr.write("greensplit: interrupted\n")
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)


if __name__ == "__main__":
    main()
