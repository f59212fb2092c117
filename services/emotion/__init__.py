"""Frames in, face readings and steady apparent moods out."""
