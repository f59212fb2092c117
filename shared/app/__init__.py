"""A process made of services: start, health, watchdog, heartbeat, end."""
