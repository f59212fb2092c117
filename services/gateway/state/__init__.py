"""What is true at the site now, and what happened in the last days."""
