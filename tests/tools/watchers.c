/*
 * watchers - opens N watches on a sandbox, says "ready", and stays until its
 * standard input ends. Killed, it is a crowd of clients that vanish at once.
 *
 * usage: watchers PORT TOKEN N TARGET
 */
#include "lib/base/mem.h"

#include "tests/peer.h"

int
main(int argc, char **argv)
{
    unsigned port, n;
    struct peer *w;
    char c;

    if (argc != 5)
        die("usage: watchers PORT TOKEN N TARGET");
    port = (unsigned)strtoul(argv[1], NULL, 10);
    n = (unsigned)strtoul(argv[3], NULL, 10);
    w = mem_zalloc(n, sizeof(*w));
    for (unsigned i = 0; i < n; i++) {
        if (!peer_open(&w[i], port, argv[2], 20) ||
            !peer_send(&w[i], "GET", argv[4], NULL, NULL) ||
            peer_head(&w[i]) != 200)
            die("watch %u was refused", i);
    }
    printf("ready\n");
    fflush(stdout);
    while (read(0, &c, 1) > 0)
        ;
    for (unsigned i = 0; i < n; i++)
        peer_close(&w[i]);
    free(w);
    return 0;
}
