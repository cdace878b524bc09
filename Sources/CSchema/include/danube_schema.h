// The published JSON Schema of plans, inside the program that prints it.
#ifndef DANUBE_SCHEMA_H
#define DANUBE_SCHEMA_H

#include <stddef.h>

// The text of proto/danube/plan/v1/plan.schema.json as it was when this was built.
const unsigned char *danube_plan_schema(size_t *length);

#endif
