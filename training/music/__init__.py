"""Models of how music sounds."""
