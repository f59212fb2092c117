"""What shall play and what to do next for it. Pure: no clock, network or output."""
