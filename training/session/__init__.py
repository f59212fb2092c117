"""What comes next after the songs of a session: ways to say it, fitted on playlists and compared on others."""
