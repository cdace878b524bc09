#include "danube_schema.h"

static const unsigned char text[] = {
#embed "../../proto/danube/plan/v1/plan.schema.json"
};

const unsigned char *danube_plan_schema(size_t *length) {
    *length = sizeof text;
    return text;
}
