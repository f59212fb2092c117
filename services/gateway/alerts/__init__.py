"""Telling somebody that the site needs them: by mail, ntfy or a webhook."""
