"""Exit codes: 0 done, 1 the work failed, 2 wrong usage (argparse), 70 restart me."""

EXIT_FAILED = 1
EXIT_RESTART = 70
