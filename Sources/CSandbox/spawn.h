#ifndef DANUBE_SPAWN_H
#define DANUBE_SPAWN_H

#include <sys/types.h>

// Starts `program --namespaces=FLAGS` with no environment, descriptors 0, 1, 2 on /dev/null and 3
// on `channel`, in a session of its own and, where the host allows, as the first process of its own
// pid namespace: killing it kills whatever it may have started. It dies with the calling thread.
// Returns 0, or -errno (also that of a failed exec).
int danube_spawn_on(const char *program, int channel, pid_t *pid);

#endif
