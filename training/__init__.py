"""How models/ is made: data, networks, training, evaluation and export. Nothing imports this package."""
