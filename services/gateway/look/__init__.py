"""How the page looks at this place: its own texts, logo and colour, in a folder beside the settings."""
