"""Spotify: the output, the sign-in, the session, and the simulator that stands in for it."""
