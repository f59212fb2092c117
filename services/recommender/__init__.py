"""Moods in, five songs out; a pick in, the other songs ranked by similarity out."""
