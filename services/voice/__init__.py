"""The voice service: sound -> speech -> moods and arousal of a voice. Sound is never written anywhere."""
