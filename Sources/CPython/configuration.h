#ifndef DANUBE_CONFIGURATION_H
#define DANUBE_CONFIGURATION_H

#include <stddef.h>

// The payload of the configuration frame.
extern char *danube_configuration;
extern size_t danube_configuration_length;

#endif
