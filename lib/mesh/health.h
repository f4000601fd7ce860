/*
 * health.h - how well an object is, in one word.
 *
 * What: reads metadata and status.conditions of any Kubernetes object and
 * answers one of seven words. Rules, first match wins:
 *   1. metadata.deletionTimestamp is set                      DELETING
 *   2. annotation crossplane.io/paused "true", or Synced=False with reason
 *      ReconcilePaused                                         PAUSED
 *   3. Synced=False; or a condition of the mesh that says a fault
 *      (DomainResolved, InputsResolved, ContractsValid False); or the main
 *      condition False with a reason that names a failure; Failed=True  FAIL
 *   4. the main condition (the first there is of Ready, Available, Healthy,
 *      Established, Complete) True: OK, False: WAIT, Unknown: WAIT
 *   5. Synced=True alone, or an XR without conditions yet        WAIT
 *   6. none of it (a ConfigMap)                                  NONE
 * Source: crossplane-runtime apis/common/v1 (condition types and reasons);
 * Kubernetes API conventions, "Typical status properties".
 */
#ifndef LIB_MESH_HEALTH_H
#define LIB_MESH_HEALTH_H

#include "lib/base/json.h"

/* Worse is larger, so that a roll-up is a maximum. */
enum mesh_health {
    MESH_NONE, /* says nothing about itself; being there is enough */
    MESH_OK,
    MESH_PAUSED,
    MESH_DELETING,
    MESH_MISSING, /* referred to and not there */
    MESH_WAIT,
    MESH_FAIL,
    MESH_HEALTHS /* how many there are */
};

/* "-", "OK", "PAUSED", "DEL", "MISSING", "WAIT", "FAIL". */
const char *mesh_health_word(enum mesh_health h);

/* A condition's status as a letter: 'T', 'F', 'U'; 0 for anything else. */
char mesh_status_letter(const char *status);

struct mesh_health_facts {
    enum mesh_health health;
    char ready;  /* letter of the main condition, 0: there is none */
    char synced; /* letter of Synced, 0: there is none */
    bool paused;
};

/* Any JSON is accepted; what is not an object is MESH_NONE. is_xr: an object
 * of which conditions are to be expected (rule 5). */
void mesh_health_of(const struct json *object, bool is_xr,
                    struct mesh_health_facts *out);
/* True when the condition is not as hoped for: Failed and the like are bad
 * when True, all others when not True. */
bool mesh_condition_bad(const char *type, const char *status);
/* True when that bad condition is a fault, and not just "not yet". */
bool mesh_condition_fault(const char *type, const char *status,
                          const char *reason);

#endif
