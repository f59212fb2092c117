"""Cameras for those who have none: the drawn face and simulated visitors."""
