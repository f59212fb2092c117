"""The mood that words tell: read where they are typed, and forgotten."""
