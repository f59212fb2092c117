"""Frames in: webcam, stream, video file, pictures or a drawn face; publishes frames and its own state."""
