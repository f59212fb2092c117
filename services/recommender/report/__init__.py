"""The page about a catalogue and its plots."""
