"""What is known of songs by models: moods, points in which near is alike, the search for near ones."""
