/*
 * steps.c - a scripted graph shown as the program shows it, in a real
 * terminal; lines of the script (tests/tools/stepscript.h) come from a FIFO.
 *
 * usage: steps FIFO [tree|plain|json] [HEARTBEAT_MS]
 */
#include <fcntl.h>
#include <unistd.h>

#include "lib/base/mem.h"

#include "devenv/failure.h"

#include "cli/progress.h"

#include "tests/tools/stepscript.h"

struct steps {
    struct script script;
    struct buf input;
    int fd;
};

static void
on_input(void *arg, unsigned events UNUSED)
{
    struct steps *s = arg;
    struct str line, rest;
    char bytes[4096];
    ssize_t n = read(s->fd, bytes, sizeof(bytes));

    if (n <= 0)
        return;
    buf_add(&s->input, bytes, (size_t)n);
    rest = buf_view(&s->input);
    while (str_cut(rest, '\n', &line, &rest)) {
        AUTO(mem_free_ptr) char *text = mem_strndup(line.s, line.n);

        script_line(&s->script, text);
    }
    buf_consume(&s->input, s->input.n - rest.n);
}

/* A loop of its own without arguments: none were given to a command. */
int
main(int argc, char **argv)
{
    const char *const next[] = {"meshtop", "meshtop down", NULL};
    const char *way = argc > 2 ? argv[2] : "tree";
    enum progress_how how = *way == 't'   ? PROGRESS_TREE
                            : *way == 'j' ? PROGRESS_JSON
                                          : PROGRESS_PLAIN;
    struct steps s = {.input = BUF_INIT(1 << 20)};
    struct error err = {0};
    struct loop *l = loop_new(&err);
    struct progress p;

    s.fd = argc > 1 ? open(argv[1], O_RDWR | O_CLOEXEC) : -1;
    if (s.fd < 0 || !l)
        die("usage: steps FIFO [tree|plain|json] [HEARTBEAT_MS]");
    progress_open(&p, how, how == PROGRESS_JSON ? stdout : stderr, l);
    p.ascii = p.canvas.ascii = inplace_ascii();
    if (argc > 3)
        p.heartbeat_ms = strtol(argv[3], NULL, 10);
    progress_title(&p, "up  profile demo (kind)");
    if (!script_new(&s.script, l,
                    &(struct step_graph_options){.on_change = progress_changed,
                                                 .arg = &p},
                    &err) ||
        !loop_fd_add(l, s.fd, LOOP_READ, on_input, &s, &err))
        die("%s", err.msg);
    progress_graph(&p, s.script.graph);
    bool ok = steps_wait(s.script.graph, &err);

    progress_report(&p, ok ? NULL : &err, next);
    steps_free(s.script.graph);
    progress_end(&p);
    loop_free(l);
    buf_release(&s.input);
    if (!ok)
        fprintf(stderr, "steps: %s (%s)\n", err.msg, err.id);
    return ok ? 0 : failure_exit(&err);
}
