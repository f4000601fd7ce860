/* V-e: what is invalid is refused by the schema, in a dry run. */
#include <stdlib.h>

#include "lib/base/mem.h"

#include "devenv/verify_group.h"

/* A product that is right in everything but what the row says. */
#define HEAD                                                                   \
    "{\"apiVersion\":\"meshifi.io/v1alpha1\",\"kind\":\"DataProduct\","        \
    "\"metadata\":{\"name\":\"meshtop-verify-invalid\"},\"spec\":{"
#define REST                                                                   \
    ",\"name\":\"Invalid\",\"description\":\"refused\","                       \
    "\"dataDomainRef\":\"nowhere\"}}"

static const struct {
    const char *what, *body;
    /* A part of the field the refusal must name. */
    const char *field;
} specimens[] = {
    {"a product without name",
     HEAD "\"id\":\"x\",\"description\":\"refused\","
          "\"dataDomainRef\":\"nowhere\"}}",
     "name"},
    {"a product whose id is a number", HEAD "\"id\":7" REST, "id"},
    {"a product with an unknown status",
     HEAD "\"id\":\"x\",\"status\":\"finished\"" REST, "status"},
    {"a product with a misspelt field",
     HEAD "\"id\":\"x\",\"dataDomainReff\":\"nowhere\"" REST, "dataDomainReff"},
};

static void
check_specimen(struct verify *v, size_t i)
{
    struct kube_request r = {
        .verb = KUBE_CREATE,
        .gvr = {"meshifi.io", "v1alpha1", "dataproducts"},
        .ns = "default",
        .body = str_of(specimens[i].body),
        .dry_run = true,
        .strict = true,
        .timeout_ms = VERIFY_ANSWER_MS,
    };
    AUTO(kube_answer_release) struct kube_answer answer = {0};
    struct error why = {0};
    bool taken = kube_client_wait(v->env->client, &r, &answer, &why);
    AUTO(mem_free_ptr) char *detail = NULL;

    verify_heed(v, &why);
    /* Refused for its own fault, not because nobody may or it is not served. */
    bool refused = !taken && why.code == ERR_INVALID &&
                   str_contains(str_of(why.msg), str_of(specimens[i].field));

    if (taken)
        detail =
            mem_printf("the API would have stored it (HTTP %d)", answer.http);
    else
        detail = mem_printf("refused for another reason: %s", why.msg);
    verify_say(v, refused, detail, "%s is refused", specimens[i].what);
}

void
verify_negative(struct verify *v)
{
    v->subject = "mesh-core";
    for (size_t i = 0; i < ARRAY_LEN(specimens) && !verify_stopped(v); i++)
        check_specimen(v, i);
}
