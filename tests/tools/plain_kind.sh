#!/bin/bash
# What `meshtop up --engine kind --examples corner-shop` does, by kind, docker
# and kubectl alone, one thing after the other: the peer its time is measured
# against. Takes the cluster down again.
# usage: plain_kind.sh NAME   environment: NODE_IMAGE MIRROR CA (a PEM file)
#   CROSSPLANE (`helm template` of the chart, with registryCaBundleConfig)
# Prints "SECONDS what" a line, the whole last.
set -eu
name=${1:?usage: plain_kind.sh NAME}
T=$(mktemp -d)
export KUBECONFIG=$T/kubeconfig
trap 'kind delete cluster --name "$name" >/dev/null 2>&1; rm -rf "$T"' EXIT
begun=$(date +%s%N)
say() { printf '%s %s\n' "$(awk -v n=$(($(date +%s%N) - begun)) 'BEGIN { printf "%.1f", n / 1e9 }')" "$*"; }
until_ok() { for _ in $(seq 600); do "$@" >/dev/null 2>&1 && return; sleep 0.2; done; echo "never: $*" >&2; exit 1; }
host=${MIRROR%%/*}

cat >"$T/kind.yaml" <<-EOT
	kind: Cluster
	apiVersion: kind.x-k8s.io/v1alpha4
	containerdConfigPatches:
	- |-
	  [plugins."io.containerd.grpc.v1.cri".registry]
	    config_path = "/etc/containerd/certs.d"
EOT
kind create cluster --name "$name" --image "$NODE_IMAGE" --config "$T/kind.yaml" --wait 120s >"$T/kind.log" 2>&1
say cluster
docker exec -i "$name-control-plane" sh -c "mkdir -p /etc/containerd/certs.d/$host && cat >/etc/containerd/certs.d/$host/ca.crt && printf 'server = \"https://$host\"\n[host.\"https://$host\"]\n  capabilities = [\"pull\", \"resolve\"]\n  ca = \"/etc/containerd/certs.d/$host/ca.crt\"\n' >/etc/containerd/certs.d/$host/hosts.toml" <"$CA"
kubectl create namespace crossplane-system >/dev/null
kubectl -n crossplane-system create configmap registry-ca --from-file=ca.crt="$CA" >/dev/null
sed "s#xpkg.crossplane.io/#$MIRROR/#" "$CROSSPLANE" | kubectl apply -n crossplane-system -f - >/dev/null
kubectl -n crossplane-system wait --for=condition=Available deploy/crossplane deploy/crossplane-rbac-manager --timeout=180s >/dev/null
say crossplane
until_ok kubectl get crd functions.pkg.crossplane.io compositions.apiextensions.crossplane.io compositeresourcedefinitions.apiextensions.crossplane.io
sed -n "s#^ref: xpkg.crossplane.io/\(.*\)/\(function-[a-z-]*\):\(.*\)#---\napiVersion: pkg.crossplane.io/v1\nkind: Function\nmetadata: {name: \2}\nspec: {package: \"$MIRROR/\1/\2:\3\"}#p" \
	kind-config/versions.lock | kubectl apply -f - >/dev/null
kubectl wait --for=condition=Installed functions.pkg.crossplane.io --all --timeout=120s >/dev/null
kubectl wait --for=condition=Healthy functions.pkg.crossplane.io --all --timeout=120s >/dev/null
say functions
kubectl apply -f assets/mesh-core/xrds >/dev/null
kubectl wait --for=condition=Established compositeresourcedefinitions.apiextensions.crossplane.io --all --timeout=120s >/dev/null
kubectl apply -f assets/mesh-core/compositions >/dev/null
say packages
find examples/corner-shop -name '*.yaml' ! -name expectations.yaml -print0 | sort -z | xargs -0 -I{} kubectl apply -f {} >/dev/null 2>"$T/examples.err" ||
	until_ok sh -c "find examples/corner-shop -name '*.yaml' ! -name expectations.yaml -exec kubectl apply -f {} +"
for kind in datadomains datacontracts dataproducts; do
	kubectl wait --for=condition=Ready "$kind.meshifi.io" --all -A --timeout=120s >/dev/null
done
say ready
