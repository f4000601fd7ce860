/*
 * lossy - a sandbox that forgets: every n-th commit is acknowledged and
 * changes nothing (0: none). The crash test must find that out
 * (tests/fault/crash.test). EVENTS: how much history it retains.
 *
 * usage: lossy DATA KUBECONFIG N [EVENTS]
 */
#include <stdio.h>
#include <stdlib.h>

#include "devenv/sandbox/server.h"

int
main(int argc, char **argv)
{
    struct server_options o = {0};
    struct error err = {0};

    if (argc != 4 && argc != 5)
        return 2;
    o.data = argv[1];
    o.kubeconfig = argv[2];
    o.store.lose_every = (unsigned)strtoul(argv[3], NULL, 10);
    if (argc > 4)
        o.store.log_events = strtoul(argv[4], NULL, 10);
    if (server_run(&o, &err))
        return 0;
    fprintf(stderr, "lossy: %s\n", err.msg);
    return 1;
}
