"""A voice service, and what tests say to it."""
