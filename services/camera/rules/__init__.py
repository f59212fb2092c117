"""Decisions about cameras: addresses, settings, jobs, pacing, health. Pure: no OpenCV, no Redis, no clock."""
