"""The routes of the HTTP API, by who uses them."""
