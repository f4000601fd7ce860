/*
 * failure_table.c - the rows of the catalogue, by exit code (failure.h).
 * The ids of the first block are facts/devenv.md 5.4's.
 */
#include "devenv/failure.h"

/* clang-format off */
const struct failure failure_table[] = {
/* ---- 10 host ---- */
{"MT-HOST-CPU", 10,
 "This machine has <n> CPU, the mesh needs 2.",
 "Give the machine, or the engine's virtual machine, 2 CPUs or more:\n"
 "Docker Desktop: Settings, Resources. colima stop && colima start --cpu 4",
 "", false},
{"MT-HOST-NOFILE", 10,
 "A process may open <n> files, 4096 are needed.",
 "Raise the limit for this shell:  ulimit -n 65536\n"
 "For good: LimitNOFILE= of the service, or /etc/security/limits.conf.",
 "kind#2586", false},
{"MT-HOST-MEM", 11,
 "The engine has <n> GiB of memory, the mesh needs 4 GiB.",
 "Docker Desktop: Settings, Resources, Memory: 8 GB.\n"
 "colima stop && colima start --memory 8\n"
 "Without containers it needs little:  meshtop up --engine sandbox",
 "minikube#15142", false},
{"MT-HOST-INOTIFY", 12,
 "inotify instances <limit> (<n> in use): pods would end with \"too many "
 "open files\".",
 "sudo sysctl -w fs.inotify.max_user_instances=512 \\\n"
 "    fs.inotify.max_user_watches=524288\n"
 "For good, in /etc/sysctl.d/99-meshtop.conf:\n"
 "fs.inotify.max_user_instances = 512\n"
 "fs.inotify.max_user_watches = 524288\n"
 "(`meshtop doctor --fix` does both)",
 "kind#2586 kind#904 kind#2819 kind#3317", false},
{"MT-HOST-DISK", 13,
 "<n> GB free at <folder>, 8 GB are needed.",
 "docker system df        shows what takes the space\n"
 "docker image prune      images nobody uses\n"
 "docker builder prune    build caches\n"
 "Kubernetes in kind never evicts by itself: what is full just fails.",
 "kind#156 kind#1328 k3d#133", false},
{"MT-HOST-CGROUP", 14,
 "Kubernetes 1.35 and later do not start on cgroup v1.",
 "Leave --node-image away: the default on cgroup v1 is Kubernetes 1.34.\n"
 "Or boot with systemd.unified_cgroup_hierarchy=1 (a rootless engine needs "
 "it).",
 "minikube#22319", false},
{"MT-ROOTLESS-DELEGATE", 15,
 "The rootless engine has not the controllers <names>.",
 "sudo mkdir -p /etc/systemd/system/user@.service.d\n"
 "printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' | \\\n"
 "    sudo tee /etc/systemd/system/user@.service.d/delegate.conf\n"
 "sudo systemctl daemon-reload      and log in again\n"
 "See https://kind.sigs.k8s.io/docs/user/rootless/",
 "kind#2254 kind#2916 kind#2872 kind#3901", false},
{"MT-PORT-TAKEN", 16,
 "Port <n> is used by <program> (pid <n>).",
 "Stop what listens there, or publish no port:\n"
 "meshtop up --cluster single",
 "kind#3681", false},
{"MT-ROOTLESS-PORT", 16,
 "A rootless engine may not publish port <n>: the low ports end at <n>.",
 "sudo sysctl -w net.ipv4.ip_unprivileged_port_start=80\n"
 "For good, in /etc/sysctl.d/99-meshtop.conf; or publish no port:\n"
 "meshtop up --cluster single",
 "", false},
{"MT-HOST-ARCH", 17,
 "There are no images for this machine's processor (<name>).",
 "Kind and Crossplane come for x86_64 and aarch64 only. Without containers:\n"
 "meshtop up --engine sandbox; or a cluster elsewhere: --context NAME",
 "", false},
{"MT-HOST-FOLDER", 18,
 "<folder> cannot be written.",
 "Give yourself the right to write there, or set XDG_STATE_HOME and\n"
 "XDG_CACHE_HOME to folders of yours.",
 "", false},
{"MT-HOST-CLOCK", 19,
 "The clock of this machine is <n> minutes off: certificates will not be "
 "valid.",
 "sudo timedatectl set-ntp true     (systemd)\n"
 "sudo chronyc makestep             (chrony)\n"
 "In a virtual machine that slept (WSL2, colima): restart it.",
 "", false},

/* ---- 20 engine ---- */
{"MT-ENGINE-DOWN", 20,
 "No container engine answers (tried <sockets>).",
 "sudo systemctl start docker              Linux\n"
 "colima start --cpu 4 --memory 8          colima\n"
 "or start Docker Desktop; or set DOCKER_HOST.\n"
 "None installed:  meshtop doctor --fix\n"
 "Without containers:  meshtop up --engine sandbox",
 "minikube#10051 idpbuilder#425 colima#365", true},
{"MT-ENGINE-PERM", 21,
 "You may not use <socket>.",
 "sudo usermod -aG docker $USER            and log in again\n"
 "or use a rootless engine; never run meshtop with sudo.",
 "", false},
{"MT-ENGINE-API", 22,
 "The engine speaks an API that is too old or too new.",
 "Update the engine and the docker command; API 1.41 or later is needed.",
 "", false},

{"MT-DOCKER-CLI", 23,
 "kind needs the engine's command-line program (docker, podman), and it is "
 "not on PATH.",
 "Install it:  apt-get install docker-cli, dnf install docker-ce-cli,\n"
 "brew install docker; or put the one you have on PATH.\n"
 "Without containers:  meshtop up --engine sandbox",
 "", false},
{"MT-ENGINE-PRIVILEGE", 24,
 "The engine cannot start privileged containers on this machine (<why>).",
 "Nodes of Kind are privileged containers. Where this machine is a\n"
 "container itself, start it with --privileged; else use another engine.\n"
 "Without containers:  meshtop up --engine sandbox",
 "", false},

/* ---- 30 network ---- */
{"MT-NET-DNS", 30,
 "Cannot reach <host> (<why>).",
 "Check the network and the VPN. Without a network:\n"
 "meshtop up --engine sandbox               needs nothing\n"
 "meshtop up --node-image REF               a node image that is here\n"
 "    --registry-mirror HOST --registry-ca F   a registry inside",
 "", true},
{"MT-NET-PROXY", 31,
 "A proxy answers for <host> (<why>).",
 "Set HTTPS_PROXY and NO_PROXY as your company says. If it replaces\n"
 "certificates: install its CA on this machine, or name a file of CAs in\n"
 "SSL_CERT_FILE; and for the cluster:\n"
 "meshtop up --registry-mirror HOST --registry-ca corp.pem",
 "kind#1010 minikube#3613", false},
{"MT-NET-RATELIMIT", 32,
 "<registry> refused the pull (rate limit).",
 "docker login                              raises the limit\n"
 "meshtop up --registry-mirror HOST         a mirror\n"
 "or wait: Docker Hub counts by six hours.",
 "", true},
{"MT-NET-DOWNLOAD", 33,
 "<file> cannot be downloaded: <host> answers <status>.",
 "Try again: what came is kept and continued. If it stays so, put the\n"
 "program on PATH yourself (\"meshtop doctor --lock\" says which and from\n"
 "where), or do without it:  meshtop up --engine sandbox",
 "kind#2331", true},

{"MT-IMAGE-PULL", 33,
 "The engine cannot pull <image> (<the registry's words>).",
 "Check the name, and `docker login` where the registry asks for it. Without\n"
 "a registry:  docker load -i FILE;  meshtop up --node-image REF\n"
 "or use a mirror:  meshtop up --registry-mirror HOST[/PREFIX]",
 "kind#3199", true},

/* ---- 40 integrity ---- */
{"MT-SUM-MISMATCH", 40,
 "<file>: checksum differs (want <sha256>, got <sha256>). File deleted.",
 "Do not go around this. Try again; if it differs again, compare with the\n"
 "vendor's published checksum file and report it: either the download was\n"
 "changed on its way, or the lock is wrong.",
 "", true},

{"MT-DIGEST-CHANGED", 41,
 "<image> is now <digest>; on first use this profile saw it to be <digest>.",
 "Do not go around this. Somebody moved the tag, or something answers in\n"
 "the registry's place: ask who did. A new profile starts afresh:\n"
 "meshtop --profile OTHER up",
 "", false},
{"MT-SUM-MISSING", 42,
 "<file> is not pinned, and its vendor's checksum file cannot be used.",
 "Without a checksum nothing is installed. Put the program on PATH yourself:\n"
 "\"meshtop doctor --lock\" says which version, and from where.",
 "", true},
{"MT-TOOL-BAD", 43,
 "<program> was downloaded and is what was published, but cannot be used.",
 "Put a working program of that name on PATH; \"meshtop doctor --lock\" says\n"
 "which versions fit. Then report it: the lock is wrong.",
 "", false},
{"MT-TOOL-RANGE", 44,
 "<program> on PATH is <version>, needed is <range>; ours cannot be had.",
 "Update the program on PATH (\"meshtop doctor --lock\" says which versions\n"
 "fit), or let the download through.",
 "", true},
{"MT-TOOL-PLATFORM", 45,
 "<program> is not published for <platform>.",
 "Build or install it yourself and put it on PATH; \"meshtop doctor --lock\"\n"
 "says which versions fit.",
 "", false},

/* ---- 50 cluster ---- */
{"MT-KIND", 50,
 "kind could not make the cluster (<why>).",
 "meshtop debug                             keeps the nodes' logs\n"
 "meshtop up again: it repairs, or begins anew.",
 "", true},
{"MT-CLUSTER-FOREIGN", 51,
 "A kind cluster \"<name>\" exists that meshtop did not make.",
 "meshtop up --profile OTHER                another name\n"
 "meshtop up --adopt                        use it; down leaves it there\n"
 "kind delete cluster --name NAME           if you do not need it",
 "", false},
{"MT-NODE-BOOT", 52,
 "The node container stopped during its start (exit <n>).",
 "Causes, in the order of likelihood: inotify, cgroup, memory, disk:\n"
 "meshtop doctor                            looks at each\n"
 "meshtop debug                             keeps the node's log",
 "kind#2460 kind#2972 kind#3423 kind#3758", true},
{"MT-KUBEADM", 53,
 "Kubernetes did not start within <n> s.",
 "meshtop debug                             keeps the kubelet's log\n"
 "meshtop doctor                            memory, disk, clock\n"
 "then meshtop up again: it repairs.",
 "kind#3319 kind#3569 kind#3760", true},
{"MT-POOL", 54,
 "The engine has no free subnet (<n> networks).",
 "docker network ls\n"
 "docker network prune                      networks nobody uses\n"
 "Or more pools in /etc/docker/daemon.json (then restart the engine):\n"
 "{\"default-address-pools\": [{\"base\": \"10.200.0.0/16\", \"size\": 24}]}",
 "kind#2488 kind#2567 kind#2970 kind#1718", false},
{"MT-KUBECONFIG-LOCK", 55,
 "<file>.lock blocks the kubeconfig (<age> old).",
 "If neither kubectl nor kind runs, remove it:  rm <file>.lock",
 "kind#2008 kind#1425", false},
{"MT-NODE-IMAGE", 56,
 "<image> is not a Kind node image (<why>).",
 "meshtop up                                takes the image of the lock\n"
 "meshtop up --node-image REF               one made by kind build node-image",
 "", false},
{"MT-CLUSTER-RIGHTS", 57,
 "The user of the context may not create: <kinds>.",
 "Ask the cluster's owner for these rights (cluster-admin has them), or name\n"
 "another context.",
 "", false},

/* ---- 60 Crossplane ---- */
{"MT-CROSSPLANE-FOREIGN", 60,
 "Crossplane is there already, put up by <Helm or another hand>.",
 "meshtop up --adopt                        use it as it is; down leaves it\n"
 "or another cluster:                       meshtop up --engine kind",
 "", false},
{"MT-CROSSPLANE-VERSION", 61,
 "Crossplane <version> is not one that can be put up here.",
 "Choose one of 2.0.x to 2.3.x, or leave the choice to the lock.",
 "", false},
{"MT-CROSSPLANE-START", 62,
 "Crossplane did not become Available within <n> s; <what it waits for>.",
 "kubectl -n crossplane-system get pods\n"
 "meshtop debug                             keeps its logs\n"
 "then meshtop up again: it repairs.",
 "crossplane#5828", true},
{"MT-POD-START", 63,
 "The pod <name> cannot start: <the kubelet's or the scheduler's words>.",
 "kubectl -n crossplane-system describe pod NAME\n"
 "meshtop doctor                            memory, disk",
 "", true},

/* ---- 70 packages ---- */
{"MT-PKG-PULL", 70,
 "<package> cannot be fetched: <registry's words>.",
 "Is the name right, and may you read it? Older official packages of\n"
 "xpkg.upbound.io are for subscribers: use xpkg.crossplane.io.\n"
 "Behind a company's registry: --registry-mirror HOST --registry-ca F",
 "crossplane#4196", true},
{"MT-PKG-UNHEALTHY", 71,
 "<package> was fetched and does not become Healthy: <Crossplane's words>.",
 "kubectl get functionrevisions.pkg.crossplane.io\n"
 "meshtop debug                             keeps their state and logs",
 "crossplane#4196", true},

/* ---- 80 mesh ---- */
{"MT-XR-NOTREADY", 80,
 "<name>: <n> of <m> composed resources Ready; waiting: <names>.",
 "meshtop why NAME                          the first cause\n"
 "meshtop tree NAME                         what it is made of",
 "", true},
{"MT-XRD-SILENT", 81,
 "XRD <name> is invalid: <event>.",
 "Crossplane shows no condition for this, only the event. Mend the schema at\n"
 "the place it names and apply it again.",
 "crossplane#7516 crossplane#6610", false},
{"MT-XR-RBAC", 82,
 "Crossplane may not create <resources>.",
 "Give it the right with a ClusterRole that has the label\n"
 "rbac.crossplane.io/aggregate-to-crossplane: \"true\"\n"
 "meshtop up repairs what our own packages need.",
 "crossplane#6895 crossplane#2084 crossplane#6397", false},

/* ---- 90 clean-up ---- */
{"MT-LEFTOVER", 90,
 "<n> things remain: <list>.",
 "meshtop down again; what stays then is listed with the command that\n"
 "removes it.",
 "kind#1919 kind#3456", true},
{"MT-STUCK-FINALIZER", 91,
 "<object> waits for the finalizer <name> (its controller does not run).",
 "Start its controller again (Crossplane: kubectl -n crossplane-system get\n"
 "pods), or meshtop down --force: what it made elsewhere may stay.",
 "crossplane#2079 crossplane#847", true},

/* ---- ids whose exit code is the error's own ---- */
{"MT-BLOCKED", 0, "Something still needs <name>.",
 "Clear what it names, or delete all the same: meshtop delete NAME --force",
 "", false},
{"MT-CANCELLED", 130, "Stopped.",
 "The same command goes on where this one stopped.", "", true},
{"MT-AUTH-PROVIDER", 0,
 "A user of the kubeconfig has an auth-provider, which no client knows any "
 "more.",
 "Install its exec plugin: gke-gcloud-auth-plugin, kubelogin.", "", false},
{"MT-CHANGED-MEANWHILE", 0, "<name> was changed while you edited it.",
 "Your text is kept in the file it names; edit again.", "", true},
{"MT-CONFIRM", 2, "There is no terminal to ask at.", "Say --yes.", "", false},
{"MT-CONNECT", 0, "Cannot connect to <server>.",
 "Is the server running, and is this its address?", "", true},
{"MT-DNS", 0, "The name of <server> is not known.",
 "Check the server's name and the network.", "", true},
{"MT-EXEC-PLUGIN", 0, "The kubeconfig's credential program failed.",
 "Run it by hand and see what it says.", "", true},
{"MT-FIELD-CONFLICT", 0, "Another manager owns a field of <name>.",
 "Leave the field away, or take it over: apply --force, install --adopt.",
 "", false},
{"MT-FORBIDDEN", 0, "You may not do that on this cluster.",
 "Ask who administers it for the right it names.", "", false},
{"MT-KUBECONFIG-DENIED", 0, "You may not read the kubeconfig <file>.",
 "Make the file yours: sudo chown \"$USER\" FILE", "", false},
{"MT-NO-CLUSTER", 0, "There is no cluster to look at.",
 "meshtop up brings one up; or --kubeconfig F, --context C.", "", false},
{"MT-NO-CONTEXT", 0, "The kubeconfig has no context <name>.",
 "Choose one of those it names.", "", false},
{"MT-NO-KIND", 0, "The cluster serves no kind <name>.",
 "Is the package installed? meshtop install mesh-core", "", false},
{"MT-NO-KUBECONFIG", 0, "There is no kubeconfig at <path>.",
 "meshtop up makes one of its own; or --kubeconfig F.", "", false},
{"MT-NO-LOG", 0, "There is no such log.", "meshtop logs lists what there is.",
 "", false},
{"MT-NO-SUCH-PACKAGE", 0, "There is no package <name>.",
 "Name a built-in one, or a folder.", "", false},
{"MT-NO-SUCH-STEP", 2, "There is no step <name>.",
 "meshtop up --plan lists the steps.", "", false},
{"MT-NOT-UP", 0, "The profile <name> is not up.",
 "meshtop up --profile NAME", "", false},
{"MT-OTHER-CONTEXT", 2,
 "The profile works on another context.",
 "meshtop down first, or choose another --profile.",
 "", false},
{"MT-OTHER-ENGINE", 2, "The profile runs on another engine.",
 "Take it down first, or choose another --profile.", "", false},
{"MT-PACKAGE-LINT", 0, "<file>: such a package may not hold this.",
 "Leave the file out with --ignore, or move it out of the package.", "", false},
{"MT-PACKAGE-RUNS", 0, "<package> brings a program that only Crossplane runs.",
 "Apply a Provider or Function object that names it.", "", false},
{"MT-PACKAGE-IN-USE", 0, "Objects of the package's kinds still exist.",
 "Delete them first, or meshtop examples rm NAME.", "", false},
{"MT-PROFILE-BUSY", 0, "Another meshtop changes the profile.",
 "Wait until it is done.", "", true},
{"MT-PROXY", 0, "The proxy's name is not known.",
 "Check proxy-url and the variables HTTPS_PROXY and NO_PROXY.", "", true},
{"MT-READ-ONLY", 0, "Nothing may be written in read-only mode.",
 "Start again without --read-only.", "", false},
{"MT-SANDBOX-BUSY", 0, "Another sandbox uses the data file.",
 "meshtop sandbox stop", "", true},
{"MT-SANDBOX-DAMAGED", 0, "The data file was changed from outside.",
 "It was left as it is; nothing in it was overwritten.\n"
 "Move it away (with its -wal), or meshtop sandbox reset.", "", false},
{"MT-SANDBOX-FOREIGN", 0, "The data file is no database of the sandbox.",
 "It was left as it is. Give --data another file.", "", false},
{"MT-SANDBOX-LOOPBACK", 0, "The sandbox listens on loopback only.",
 "--listen 127.0.0.1:PORT", "", false},
{"MT-SANDBOX-NEVER", 0, "The profile has no sandbox yet.",
 "meshtop sandbox start", "", false},
{"MT-SANDBOX-NEWER", 0, "The data file comes from a newer meshtop.",
 "Use that one, or meshtop sandbox reset.", "", false},
{"MT-SANDBOX-RUNS", 0, "The sandbox of the profile runs already.",
 "meshtop sandbox stop", "", false},
{"MT-SANDBOX-START", 0, "The sandbox did not start.",
 "Its log says why.", "", true},
{"MT-STATE-DAMAGED", 0, "The profile's state.json cannot be read.",
 "meshtop down --force removes the profile.", "", false},
{"MT-STATE-FOLDER", 0, "The folder for the state is not ours alone.",
 "Set HOME or XDG_STATE_HOME to a folder of yours.", "", false},
{"MT-STILL-THERE", 0, "<name> is not gone yet.",
 "A finalizer holds it: meshtop describe NAME shows which.", "", true},
{"MT-TIMEOUT", 0, "<server> took too long.", "", "", true},
{"MT-TLS", 0, "No TLS with <server>.", "", "", true},
{"MT-TLS-CA", 0, "The server's certificate is not trusted.",
 "The server is not the one the configuration was made for, or its\n"
 "certificate authority has changed: get a fresh kubeconfig.", "", false},
{"MT-TLS-CA-BAD", 0, "The configuration's CA cannot be read as PEM.",
 "Get a fresh kubeconfig.", "", false},
{"MT-TLS-CERT-BAD", 0, "The configuration's client certificate is no use.",
 "Get a fresh kubeconfig.", "", false},
{"MT-TLS-CLIENT-CERT", 0, "<server> does not accept the client certificate.",
 "Fetch a fresh kubeconfig. When certificates end, kubeadm says:\n"
 "kubeadm certs check-expiration", "", false},
{"MT-TLS-EXPIRED", 0, "The certificate of <server> has expired.",
 "Renew it (kubeadm certs renew all), or set this machine's clock right.",
 "", false},
{"MT-TLS-NAME", 0, "The certificate of <server> is for another name.",
 "Use an address that it names, or set tls-server-name in the kubeconfig.",
 "", false},
{"MT-TLS-PLAIN", 0, "<server> does not speak TLS.",
 "Is it http://, or another port?", "", false},
{"MT-UNAUTHORIZED", 0, "The server does not know who you are.",
 "Log in again; the kubeconfig's token or certificate has run out.", "",
 false},
{0},
};
/* clang-format on */
