"""The parent of a capture process: when it starts, how it does, what is published."""
