"""The connection to Redis: publish, follow, ask; leases, outages, traces and metrics."""
