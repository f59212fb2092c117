"""The services; each imports itself and ``shared`` only."""
