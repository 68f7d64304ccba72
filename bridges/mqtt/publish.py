"""Write the JSON Schemas beside this file anew: ``python -m greensplit.bridges.mqtt.publish``."""

from __future__ import annotations

import json
from pathlib import Path

from greensplit.engine.files import write_atomically

from .messages import MESSAGES, schema_of

__all__ = ["publish"]

FOLDER = Path(__file__).parent / "schemas"


def publish(folder: Path) -> None:
    """One file per message."""
    for name in MESSAGES:
        text = json.dumps(schema_of(name), indent=1) + "\n"
        write_atomically(folder / f"{name}.schema.json", text.encode())


if __name__ == "__main__":
    publish(FOLDER)
