"""What people see: the page, the HTTP API, the live feed of events and the browser's camera."""
