"""What the owner sends through the page: streamed to the data folder, within bounds, whole or not at all."""
