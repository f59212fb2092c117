"""How events reach handlers: groups, retries, dead letters, age limits, retention."""
