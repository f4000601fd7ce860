#!/bin/sh
# Makes the golden files beside it anew from Crossplane's own charts, which lie
# in its Go modules: `helm template` of each version, as sorted JSON, without
# nulls, the version's number written VERSION. chart.json is the newest one;
# the others hold only the objects that differ from it.
# Needs go, helm 3 (HELM=path), python3 with yaml; nothing of it is needed to
# run the tests.   usage: render.sh
set -eu
cd "$(dirname "$0")"
: "${HELM:=helm}"
t=$(mktemp -d); trap 'rm -rf "$t"' EXIT
render() { # OUT VERSION [--set ...]
	out=$1; v=$2; shift 2
	dir=$(go mod download -json "github.com/crossplane/crossplane/v2@v$v" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
	rm -rf "$t/crossplane"; cp -r --no-preserve=mode "$dir/cluster/charts/crossplane" "$t/"
	"$HELM" package "$t/crossplane" --version "$v" --app-version "$v" -d "$t" >/dev/null
	"$HELM" template crossplane "$t/crossplane-$v.tgz" --namespace crossplane-system "$@" >"$t/render.yaml"
	python3 - "$t/render.yaml" "$v" "$out" <<-'PY'
		import json, os, sys, yaml
		def clean(x):
		    if isinstance(x, dict):
		        return {k: clean(v) for k, v in x.items() if v is not None}
		    return [clean(v) for v in x] if isinstance(x, list) else x
		text = open(sys.argv[1]).read().replace(sys.argv[2], 'VERSION')
		objects = [clean(o) for o in yaml.safe_load_all(text) if o]
		key = lambda o: (o['kind'], o['metadata']['name'])
		objects.sort(key=key)
		if sys.argv[3] != 'chart.json':
		    base = {key(o): o for o in json.load(open('chart.json'))}
		    assert {key(o) for o in objects} == set(base)
		    objects = [o for o in objects if o != base[key(o)]]
		with open(sys.argv[3], 'w') as f:
		    f.write('[' + ',\n'.join(json.dumps(o, sort_keys=True) for o in objects) + ']\n')
	PY
}
render chart.json 2.3.4
render chart-options.json 2.3.4 --set 'imagePullSecrets[0]=regcred' --set replicas=2 \
	--set registryCaBundleConfig.name=registry-ca --set registryCaBundleConfig.key=ca.crt \
	--set image.repository=mirror.example.com/x/crossplane
for v in 2.0.2 2.0.8 2.1.3 2.2.0 2.3.0; do render "chart-$v.json" "$v"; done
