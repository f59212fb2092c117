"""What programs that use Moodstream import: ``moodstream.client``."""
