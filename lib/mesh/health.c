#include "lib/mesh/health.h"

#include <string.h>
#include <strings.h>

static const char *const words[MESH_HEALTHS] = {
    [MESH_NONE] = "-",          [MESH_OK] = "OK",
    [MESH_PAUSED] = "PAUSED",   [MESH_DELETING] = "DEL",
    [MESH_MISSING] = "MISSING", [MESH_WAIT] = "WAIT",
    [MESH_FAIL] = "FAIL",
};

/* The condition that says whether an object does its work, in this order. */
static const char *const main_types[] = {"Ready", "Available", "Healthy",
                                         "Established", "Complete"};
/* Good when False. */
static const char *const bad_when_true[] = {
    "Failed",       "Stalled",     "Degraded",       "MemoryPressure",
    "DiskPressure", "PIDPressure", "ReplicaFailure", "NonStructuralSchema"};
/* Of ours: False is a fault of the mesh. */
static const char *const mesh_faults[] = {"DomainResolved", "InputsResolved",
                                          "ContractsValid"};
/* A reason with one of these in it names a failure, not a delay. */
static const char *const failure_words[] = {"error", "fail", "denied",
                                            "invalid", "forbidden"};

static bool
among(const char *const *list, size_t n, const char *word)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(list[i], word) == 0)
            return true;
    }
    return false;
}

#define AMONG(list, word) among(list, ARRAY_LEN(list), word)

const char *
mesh_health_word(enum mesh_health h)
{
    return (size_t)h < ARRAY_LEN(words) ? words[h] : "?";
}

char
mesh_status_letter(const char *status)
{
    if (!status)
        return 0;
    if (strcmp(status, "True") == 0 || strcmp(status, "False") == 0 ||
        strcmp(status, "Unknown") == 0)
        return status[0];
    return 0;
}

bool
mesh_condition_bad(const char *type, const char *status)
{
    char letter = mesh_status_letter(status);

    /* A rollout that progresses says so with True and means well. */
    if (!letter || strcmp(type, "Progressing") == 0)
        return letter == 'F';
    if (AMONG(bad_when_true, type))
        return letter == 'T';
    return letter != 'T';
}

static bool
names_a_failure(const char *reason)
{
    for (size_t i = 0; reason && i < ARRAY_LEN(failure_words); i++) {
        if (strcasestr(reason, failure_words[i]))
            return true;
    }
    return false;
}

static bool
is_pause(const char *type, const char *reason)
{
    return strcmp(type, "Synced") == 0 && reason &&
           strcmp(reason, "ReconcilePaused") == 0;
}

bool
mesh_condition_fault(const char *type, const char *status, const char *reason)
{
    char letter = mesh_status_letter(status);

    if (!mesh_condition_bad(type, status) || is_pause(type, reason))
        return false;
    if (letter == 'T')
        return strcmp(type, "Failed") == 0;
    if (letter != 'F')
        return false;
    return strcmp(type, "Synced") == 0 || AMONG(mesh_faults, type) ||
           (AMONG(main_types, type) && names_a_failure(reason));
}

/* What the walk over the conditions gathers. */
struct gathered {
    char synced, main;
    size_t main_rank; /* index in main_types, or its length */
    bool fault, paused, any;
};

static void
gather(struct gathered *g, const struct json *condition)
{
    const char *type = json_get_string(condition, "type");
    const char *status = json_get_string(condition, "status");
    const char *reason = json_get_string(condition, "reason");
    char letter = mesh_status_letter(status);

    if (!type || !letter)
        return;
    g->any = true;
    if (strcmp(type, "Synced") == 0)
        g->synced = letter;
    g->paused = g->paused || (letter == 'F' && is_pause(type, reason));
    g->fault = g->fault || mesh_condition_fault(type, status, reason);
    for (size_t i = 0; i < g->main_rank; i++) {
        if (strcmp(type, main_types[i]) == 0) {
            g->main_rank = i;
            g->main = letter;
        }
    }
}

static enum mesh_health
judge(const struct gathered *g, bool is_xr)
{
    if (g->fault)
        return MESH_FAIL;
    if (g->main)
        return g->main == 'T' ? MESH_OK : MESH_WAIT;
    return g->synced || (is_xr && !g->any) ? MESH_WAIT : MESH_NONE;
}

void
mesh_health_of(const struct json *object, bool is_xr,
               struct mesh_health_facts *out)
{
    const struct json *meta = json_get(object, "metadata");
    const char *paused =
        json_get_string(json_get(meta, "annotations"), "crossplane.io/paused");
    const struct json *list = json_at(object, "status", "conditions", NULL);
    struct gathered g = {.main_rank = ARRAY_LEN(main_types)};

    *out = (struct mesh_health_facts){0};
    if (!json_is(object, JSON_OBJECT))
        return;
    if (json_is(list, JSON_ARRAY)) {
        for (struct json *c = json_first(list); c; c = json_next(c))
            gather(&g, c);
    }
    out->ready = g.main;
    out->synced = g.synced;
    out->paused = g.paused || (paused && strcmp(paused, "true") == 0);
    if (json_get_string(meta, "deletionTimestamp"))
        out->health = MESH_DELETING;
    else
        out->health = out->paused ? MESH_PAUSED : judge(&g, is_xr);
}
