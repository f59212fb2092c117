"""In place of a camera: the drawn face, and simulated visitors."""
