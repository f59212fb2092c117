"""Reading files from the command line: pictures, videos, recordings."""
