"""From the readings of a camera to visits and steady moods."""
