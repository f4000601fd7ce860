/* Nodes as text, for error messages: what Go's Node.String() gives. */
#include "lib/compose/template_tree.h"

static void
pipe_text(const struct node *n, struct buf *out)
{
    for (size_t i = 0; i < n->decl_count; i++) {
        if (i)
            buf_puts(out, ", ");
        buf_str(out, n->decl[i]->text);
    }
    if (n->decl_count)
        buf_puts(out, n->assign ? " = " : " := ");
    for (size_t i = 0; i < n->n; i++) {
        if (i)
            buf_puts(out, " | ");
        template_node_text(n->kids[i], out);
    }
}

/* A parenthesised pipeline is written with its parentheses. */
static void
operand_text(const struct node *n, struct buf *out)
{
    if (n->type == NODE_PIPE)
        buf_putc(out, '(');
    template_node_text(n, out);
    if (n->type == NODE_PIPE)
        buf_putc(out, ')');
}

static void
template_text(const struct node *n, struct buf *out)
{
    buf_puts(out, "{{template ");
    format_quote(n->text, false, out);
    if (n->pipe) {
        buf_putc(out, ' ');
        template_node_text(n->pipe, out);
    }
    buf_puts(out, "}}");
}

void
template_node_text(const struct node *n, struct buf *out)
{
    switch (n->type) {
    case NODE_ACTION:
        buf_puts(out, "{{");
        pipe_text(n->pipe, out);
        buf_puts(out, "}}");
        break;
    case NODE_TEMPLATE:
        template_text(n, out);
        break;
    case NODE_PIPE:
        pipe_text(n, out);
        break;
    case NODE_COMMAND:
        for (size_t i = 0; i < n->n; i++) {
            if (i)
                buf_putc(out, ' ');
            operand_text(n->kids[i], out);
        }
        break;
    case NODE_CHAIN:
        operand_text(n->kids[0], out);
        buf_str(out, n->text);
        break;
    case NODE_DOT:
        buf_putc(out, '.');
        break;
    case NODE_NIL:
        buf_puts(out, "nil");
        break;
    default:
        buf_str(out, n->text);
    }
}
