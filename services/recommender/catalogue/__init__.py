"""The songs: their table, how files become it, and where it lies."""
