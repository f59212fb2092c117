"""The parts of `moodstream run`: a parent with the page's socket and its own Redis, and a child with all services."""
