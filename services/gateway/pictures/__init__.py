"""Pictures that come from browsers and programs, and the share that they get."""
