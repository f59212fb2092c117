"""Imports that somebody else than a person at a terminal has asked for: a process beside the recommender."""
