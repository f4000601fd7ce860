#include "lib/kube/http_trouble.h"

#include <curl/curl.h>
#include <errno.h>

struct trouble {
    CURLcode code;
    enum err_code err;
    const char *id;
    const char *remedy;
};

/* What the TLS library says, by a part of it; the first that fits. */
static const struct {
    const char *part, *id, *remedy;
} sayings[] = {
    {"certificate has expired", "MT-TLS-EXPIRED",
     "Renew the server's certificate (kubeadm certs renew all), or set this "
     "machine's clock right."},
    {"certificate is not yet valid", "MT-TLS-EXPIRED",
     "Is this machine's clock right? The certificate begins later."},
    {"does not match", "MT-TLS-NAME",
     "Use an address that the certificate names, or set tls-server-name of the "
     "cluster in the kubeconfig to a name it has."},
    {"no alternative certificate subject name", "MT-TLS-NAME",
     "Use an address that the certificate names, or set tls-server-name of the "
     "cluster in the kubeconfig to a name it has."},
    {"alert certificate expired", "MT-TLS-CLIENT-CERT",
     "The client certificate of the kubeconfig has expired: fetch a fresh "
     "kubeconfig."},
    {"alert certificate required", "MT-TLS-CLIENT-CERT",
     "The server wants a client certificate, and the kubeconfig has none for "
     "this user."},
    {"alert bad certificate", "MT-TLS-CLIENT-CERT",
     "The server does not accept the client certificate of the kubeconfig: "
     "fetch a fresh kubeconfig."},
    {"alert certificate unknown", "MT-TLS-CLIENT-CERT",
     "The server does not accept the client certificate of the kubeconfig: "
     "fetch a fresh kubeconfig."},
    {"alert unknown ca", "MT-TLS-CLIENT-CERT",
     "The client certificate of the kubeconfig is signed by an authority that "
     "the server does not know: fetch a fresh kubeconfig."},
    {"wrong version number", "MT-TLS-PLAIN",
     "Something without TLS answers there: is it http://, or another port?"},
};

static const struct trouble troubles[] = {
    {CURLE_COULDNT_RESOLVE_HOST, ERR_NETWORK, "MT-DNS",
     "Check the server's name and the network."},
    {CURLE_COULDNT_RESOLVE_PROXY, ERR_NETWORK, "MT-PROXY",
     "Check proxy-url and the variables HTTPS_PROXY and NO_PROXY."},
    {CURLE_COULDNT_CONNECT, ERR_NETWORK, "MT-CONNECT",
     "Is the server running, and is this its address?"},
    {CURLE_OPERATION_TIMEDOUT, ERR_TIMEOUT, "MT-TIMEOUT", ""},
    {CURLE_PEER_FAILED_VERIFICATION, ERR_NETWORK, "MT-TLS-CA",
     "The server is not the one the configuration was made for, or its "
     "certificate authority has changed: get a fresh kubeconfig."},
    {CURLE_SSL_CACERT_BADFILE, ERR_PARSE, "MT-TLS-CA-BAD",
     "The certificate authority in the configuration cannot be read as PEM."},
    {CURLE_SSL_CERTPROBLEM, ERR_PARSE, "MT-TLS-CERT-BAD",
     "The client certificate or key in the configuration cannot be used."},
    {CURLE_SSL_CONNECT_ERROR, ERR_NETWORK, "MT-TLS", ""},
    {CURLE_TOO_MANY_REDIRECTS, ERR_LIMIT, "", ""},
    {CURLE_UNSUPPORTED_PROTOCOL, ERR_UNSUPPORTED, "", ""},
    {CURLE_BAD_CONTENT_ENCODING, ERR_PARSE, "", ""},
};

static bool
by_saying(struct str where, const char *what, struct error *err)
{
    for (size_t i = 0; i < ARRAY_LEN(sayings); i++) {
        if (!str_contains(str_of(what), str_of(sayings[i].part)))
            continue;
        error_set(err, ERR_NETWORK, "%.*s: %s", STR_ARG(where), what);
        error_remedy(err, sayings[i].id, "%s", sayings[i].remedy);
        return true;
    }
    return false;
}

void
http_trouble(int code, struct str where, const char *what, int os_errno,
             struct error *err)
{
    if (by_saying(where, what, err))
        return;
    for (size_t i = 0; i < ARRAY_LEN(troubles); i++) {
        if ((int)troubles[i].code != code)
            continue;
        if (code == CURLE_COULDNT_CONNECT && os_errno)
            error_set(err, os_errno == EACCES ? ERR_DENIED : ERR_NETWORK,
                      "cannot connect to %.*s: %s", STR_ARG(where),
                      strerror(os_errno));
        else
            error_set(err, troubles[i].err, "%.*s: %s", STR_ARG(where), what);
        if (troubles[i].id[0])
            error_remedy(err, troubles[i].id, "%s", troubles[i].remedy);
        return;
    }
    error_set(err, ERR_NETWORK, "the connection to %.*s broke: %s",
              STR_ARG(where), what);
}
