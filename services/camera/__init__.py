"""Webcams, streams, videos, pictures or a drawn face; publishes frames and the state of each camera."""
