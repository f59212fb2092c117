"""What tests of the emotion service share."""
