// Numbers of Linux that the headers of older distributions lack.
#ifndef DANUBE_NUMBERS_H
#define DANUBE_NUMBERS_H

#include <sys/syscall.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC 4
#endif

#endif
