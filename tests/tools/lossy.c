/*
 * lossy - a sandbox that forgets: every n-th commit is acknowledged and
 * changes nothing. The crash test must find that out (tests/fault/crash.test).
 *
 * usage: lossy DATA KUBECONFIG N
 */
#include <stdio.h>
#include <stdlib.h>

#include "devenv/sandbox/server.h"

int
main(int argc, char **argv)
{
    struct server_options o = {0};
    struct error err = {0};

    if (argc != 4)
        return 2;
    o.data = argv[1];
    o.kubeconfig = argv[2];
    o.store.lose_every = (unsigned)strtoul(argv[3], NULL, 10);
    if (server_run(&o, &err))
        return 0;
    fprintf(stderr, "lossy: %s\n", err.msg);
    return 1;
}
