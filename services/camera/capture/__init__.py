"""The capture process and what it opens: webcams, streams, files."""
