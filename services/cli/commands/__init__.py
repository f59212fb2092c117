"""A module per command, or per group of them; each has ``add_commands``.

``services.cli.command_list`` names them. Only the module whose command is asked for is imported, so that each command
starts quickly and needs no packages but those of its own service.
"""
