"""The best song to an output that plays it; says at any time what it does and what it needs."""
