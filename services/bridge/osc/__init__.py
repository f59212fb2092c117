"""The state as Open Sound Control."""
