#ifndef DANUBE_LAYERS_H
#define DANUBE_LAYERS_H

// The parts of danube_seal. Each returns 0, or -1 with errno.

// A system-call filter that leaves computing, anonymous memory and descriptor `channel`.
int danube_filter_install(int channel);

// Landlock with everything it can handle denied. Returns the version of its interface, or -1.
int danube_landlock_deny_all(void);

// An empty, read-only root in a mount namespace that is the caller's own.
int danube_root_empty(void);

// Empties the bounding set, and makes being root mean nothing. Needs to be privileged.
void danube_capabilities_bound(void);

// Gives up every capability, in every set, for ever.
int danube_capabilities_drop(void);

// Whether no set holds any capability.
int danube_capabilities_none(void);

#endif
