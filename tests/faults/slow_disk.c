// Loaded before the C library (LD_PRELOAD): a disk that takes SLOW_DISK_S seconds to write down what it was given.
#include <stdlib.h>
#include <unistd.h>

static int take_long(void) {
    const char *seconds = getenv("SLOW_DISK_S");
    if (seconds) sleep((unsigned)atoi(seconds));
    return 0;
}

int fdatasync(int file) { (void)file; return take_long(); }

int fsync(int file) { (void)file; return take_long(); }
