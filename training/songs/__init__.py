"""How the model of the moods of songs is made: labels, artists' sound, fitting, agreement with listeners."""
