"""A module per command, or per group of them; each has ``add_commands``. What a command needs is imported when it runs,
so that every other one starts quickly and an image needs the packages of its own service only."""
