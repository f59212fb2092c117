"""How a process of Moodstream ends: 0 done, 1 the work failed, 2 wrong use (argparse), 70 it must be started anew."""

EXIT_FAILED = 1
EXIT_RESTART = 70
