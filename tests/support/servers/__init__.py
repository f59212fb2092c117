"""Real servers that tests start: of pictures, of music, of pages."""
