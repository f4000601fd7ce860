# Sourced by the tests of the Kind cluster where there is neither an engine nor
# kind: tests/tools/fake_engine.py is the engine, tests/tools/fake_kind.py is
# kind, our own sandbox is the API server. After tests/lib.sh.
# shellcheck shell=sh
tools=$PWD/tests/tools
sock=$T/engine.sock
at_end='kill $(cat "$T/engine.pid" 2>/dev/null) 2>/dev/null'
export DOCKER_HOST="unix://$sock" MESHTOP
export FAKE_KIND="$T/mode" FAKE_KIND_LOG="$T/kind.log"
mkdir "$T/bin" "$T/nokind" "$T/nodocker"
for b in bin nodocker; do ln -s "$tools/fake_kind.py" "$T/$b/kind"; done
for b in bin nokind; do
	printf '#!/bin/sh\nexit 1\n' >"$T/$b/docker"
	chmod +x "$T/$b/docker"
done
for p in python3 env sh rm; do
	for b in nokind nodocker; do ln -s "$(command -v $p)" "$T/$b/$p"; done
done
export PATH="$T/bin:$PATH"

mt() { "$MESHTOP" "$@" --profile kf; }
code() { "$@" >"$T/out" 2>&1; echo $?; }
up() { mt up --engine kind --until nodes "$@"; }
mode() { echo "$*" >"$T/mode"; }
# fake METHOD PATH [JSON]: asks the engine; fake names KIND: what it has
cat >"$T/fake.py" <<'EOF'
import http.client, json, os, socket, sys
def ask(method, path, body=None):
    c = http.client.HTTPConnection("engine")
    c.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    c.sock.connect(os.environ["DOCKER_HOST"][7:])
    c.request(method, path, body, {"Content-Type": "application/json"})
    return c.getresponse().read().decode()
if sys.argv[1] != "names":
    print(ask(*sys.argv[1:]))
    sys.exit()
paths = {"containers": "/containers/json?all=1", "networks": "/networks", "volumes": "/volumes"}
d = json.loads(ask("GET", paths[sys.argv[2]]))
d = d.get("Volumes") or [] if isinstance(d, dict) else d
print(" ".join(sorted((x.get("Names") or [x.get("Name")])[0].lstrip("/") for x in d)))
EOF
fake() { python3 -S "$T/fake.py" "$@"; }
names() { fake names "$1"; }
engine() { # engine [OPTION...]: starts one
	python3 "$tools/fake_engine.py" "$sock" "$@" >"$T/engine.out" 2>&1 &
	echo $! >"$T/engine.pid"
	wait_for 10 grep -q ready "$T/engine.out"
}
image='{"ref":"docker.io/kindest/node:v1.34.0","digest":"sha256:7416a61b42b1662ca6ca89f02028ac133a309a2a30ba309614e8ec94d976dc5a"}'
v1='{"CgroupVersion":"1"}'
node() { # node CLUSTER [STATE]: a cluster of somebody else
	fake POST /_fake/containers '{"name":"'"$1"'-control-plane","network":"kind","state":"'"${2:-running}"'","labels":{"io.x-k8s.kind.cluster":"'"$1"'","io.x-k8s.kind.role":"control-plane"},"files":{"/etc/kubernetes/admin.conf":"x"}}' >/dev/null
}
gone() { fake DELETE "/_fake/containers/$1" >/dev/null; }
# What runs on cgroup v1 is what the sandbox says it is.
furnish() {
	fake POST /_fake/info "$v1" >/dev/null
	fake POST /_fake/images "$image" >/dev/null
}
