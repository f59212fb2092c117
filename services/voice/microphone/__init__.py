"""The microphone of this machine, or a file in its place."""
