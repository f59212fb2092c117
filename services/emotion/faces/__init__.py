"""From one picture to the faces read in it."""
