"""Tables as people have them: what a file is, how its cells are separated, what its headings and cells mean."""
