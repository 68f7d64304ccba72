"""Renders run directories as one self-contained HTML file. Reads files only; knows nothing of the simulator."""
