"""Looking after an installation from its page: restart, backup and restore."""
