# what is served
kubectl version -o json | grep -c gitVersion
kubectl api-versions | grep -E '^(v1|apps/v1|batch/v1|apiextensions|rbac|events|coordination|authentication|authorization|networking|policy/v1)' | grep -vE 'crossplane|upbound'
kubectl api-resources --api-group=apps
kubectl api-resources --api-group=batch
kubectl api-resources --namespaced=false --api-group=rbac.authorization.k8s.io -o name
kubectl cluster-info 2>&1 | head -1
kubectl get --raw /healthz
kubectl get --raw /livez/ping
kubectl get --raw /nowhere
kubectl get nosuch
kubectl get nosuch.example.org x
# a namespace of our own
kubectl create namespace kx
kubectl create namespace kx
kubectl get namespace kx
kubectl get namespace kx -o jsonpath='{.status.phase}{" "}{.spec.finalizers}{"\n"}'
kubectl describe namespace kx
? kubectl -n kx get serviceaccount default
kubectl label namespace kx team=a
kubectl label namespace kx team=b
kubectl label namespace kx team=b --overwrite
kubectl label namespace kx team-
kubectl annotate namespace kx note='hello world'
! kubectl config set-context --current --namespace=kx
# config maps and secrets, typed
kubectl create configmap cm --from-literal=a=1 --from-literal=b=2
kubectl create configmap cm --from-literal=a=1
kubectl create configmap dry --from-literal=a=1 --dry-run=client -o yaml
kubectl create configmap dry --from-literal=a=1 --dry-run=server -o yaml
kubectl create configmap 'Bad_Name' --from-literal=a=1
kubectl get cm cm
kubectl get cm cm -o yaml
kubectl get cm cm -o json
kubectl get cm cm -o name
kubectl get cm cm nosuch
kubectl get cm,secret
kubectl describe cm cm | sort
kubectl create secret generic s --from-literal=user=me --from-literal=password=xyz
kubectl create secret docker-registry reg --docker-server=r.example.org --docker-username=u --docker-password=p
kubectl get secret
kubectl describe secret s | sort
kubectl get secret s -o jsonpath='{.data.password}{"\n"}'
kubectl create serviceaccount robot
kubectl get sa robot
kubectl describe sa robot
kubectl create quota q --hard=pods=3
kubectl get quota q -o jsonpath='{.spec.hard}{"\n"}'
kubectl delete quota q
kubectl create role reader --verb=get,list --resource=configmaps
kubectl create rolebinding readers --role=reader --serviceaccount=kx:robot
kubectl get role,rolebinding
kubectl get rolebinding -o wide
kubectl describe role reader
kubectl describe rolebinding readers
kubectl create priorityclass pc-kx --value=7
kubectl get priorityclass pc-kx
kubectl delete priorityclass pc-kx
kubectl create poddisruptionbudget pdb --selector=app=web --min-available=1
kubectl get pdb
kubectl create ingress ing --rule='a.example.org/x=web:80'
kubectl get ingress
kubectl describe ingress ing
# who may do what
kubectl auth can-i create cm
kubectl auth can-i delete nodes --as=bob
kubectl auth can-i get cm --as=system:serviceaccount:kx:robot
kubectl auth can-i get secrets --as=system:serviceaccount:kx:robot
kubectl auth can-i --list --as=system:serviceaccount:kx:robot | grep -E 'configmaps|selfsubjectaccess'
kubectl get cm --as=bob
kubectl get secrets --as=system:serviceaccount:kx:robot
kubectl get cm -o name --as=system:serviceaccount:kx:robot
kubectl delete cm cm --as=system:serviceaccount:kx:robot
kubectl get crd --as=bob
kubectl auth whoami -o jsonpath='{.status.userInfo.groups}'
# a definition of our own
! cp $SCRIPTS/gadgets.yaml crd.yaml
kubectl apply -f crd.yaml
kubectl wait --for=condition=Established crd/gadgets.kx.example.org --timeout=20s
? kubectl get gadgets
kubectl get crd gadgets.kx.example.org
kubectl api-resources --api-group=kx.example.org
kubectl get gadgets
? kubectl explain gadget
kubectl explain gadget | grep -A3 DESCRIPTION
kubectl explain gadget.spec
kubectl explain gadget.spec.ports.port
kubectl explain gadget.spec.nosuch
kubectl explain gadget --recursive | grep -A12 spec
# its objects
printf 'apiVersion: kx.example.org/v1\nkind: Gadget\nmetadata: {name: g1, labels: {app: one}}\nspec: {color: red, size: 3, fixed: a, ports: [{name: a, port: 1}]}\n' >g1.yaml
printf 'apiVersion: kx.example.org/v1\nkind: Gadget\nmetadata: {name: g2, labels: {app: two}}\nspec: {color: blue}\n' >g2.yaml
kubectl apply -f g1.yaml --dry-run=client
kubectl apply -f g1.yaml --dry-run=server
kubectl diff -f g1.yaml
kubectl apply -f g1.yaml -f g2.yaml
kubectl apply -f g1.yaml
kubectl get gd
kubectl get gd -o wide
kubectl get gd --show-labels
kubectl get gd -L app
kubectl get gd -l app=two
kubectl get gd -l 'app in (one,two),app!=one'
kubectl get gd -l 'app=='
kubectl get gd -l 'app in one'
kubectl get gd --field-selector spec.color=red
kubectl get gd --field-selector spec.size=3
kubectl get gd --field-selector metadata.name=g2
kubectl get gd --sort-by=.spec.size -o wide
kubectl get gd --chunk-size=1
kubectl get gd -o custom-columns=N:.metadata.name,C:.spec.color,X:.spec.nosuch
kubectl get gd -o jsonpath='{range .items[*]}{.metadata.name}={.spec.size}{"\n"}{end}'
kubectl get gd -o go-template='{{range .items}}{{.metadata.name}} {{end}}'
kubectl get kxs
kubectl get kxs -A --no-headers
kubectl get gd g1 -o yaml --show-managed-fields
kubectl describe gd g1
sed 's/size: 3/size: 4/' g1.yaml >g1b.yaml
kubectl diff -f g1b.yaml
kubectl apply -f g1b.yaml
kubectl get gd g1 -o jsonpath='{.spec.size} {.metadata.generation}{"\n"}'
kubectl apply -f <(sed 's/color: red/color: green/' g1.yaml)
kubectl apply -f <(sed 's/size: 3/size: 33/' g1.yaml)
kubectl apply -f <(sed 's/size: 3/size: big/' g1.yaml)
kubectl apply -f <(sed 's/size: 3/bogus: 3/' g1.yaml)
kubectl apply -f <(sed 's/fixed: a/fixed: b/' g1.yaml)
kubectl create -f <(sed 's/name: g1/name: G1/' g1.yaml)
kubectl create -f g1.yaml
kubectl apply -f <(printf 'apiVersion: kx.example.org/v1\nkind: Gadget\n')
kubectl apply -f <(printf 'kind: Gadget\n')
kubectl apply -f <(printf 'apiVersion: kx.example.org/v2\nkind: Gadget\nmetadata: {name: x}\n')
kubectl patch gd g1 --type=merge -p '{"spec":{"size":5}}'
kubectl patch gd g1 --type=merge -p '{"spec":{"size":5}}'
kubectl patch gd g1 --type=json -p '[{"op":"replace","path":"/spec/size","value":6},{"op":"add","path":"/spec/tags","value":["x"]}]'
kubectl patch gd g1 --type=json -p '[{"op":"test","path":"/spec/size","value":7}]'
kubectl patch gd g1 --type=json -p '[{"op":"replace","path":"/spec/none/x","value":7}]'
kubectl patch gd g1 -p '{"spec":{"size":7}}'
kubectl patch gd g1 --type=merge -p '{"spec":{"color":"green"}}'
kubectl patch gd nosuch --type=merge -p '{}'
kubectl patch gd g1 --subresource=status --type=merge -p '{"status":{"size":6,"conditions":[{"type":"Ready","status":"True","reason":"Ok"}]}}'
kubectl get gd g1 --subresource=status -o jsonpath='{.status.size}'
kubectl wait gd/g1 --for=condition=Ready --timeout=5s
kubectl wait gd/g1 --for=condition=Nope --timeout=1s
kubectl wait gd/g1 --for=jsonpath='{.status.size}'=6 --timeout=5s
kubectl scale gd g1 --replicas=2
kubectl scale gd g1 --replicas=3 --current-replicas=7
kubectl get gd g1 -o jsonpath='{.spec.size}{"\n"}'
kubectl label gd --all tier=x
kubectl label gd g1 'bad label=x'
kubectl annotate gd g1 example.org/a=b
kubectl annotate gd g1 example.org/a=c
EDITOR="sed -i s/size:.2/size:.8/" kubectl edit gd g1
EDITOR="sed -i s/size:.8/size:.88/" kubectl edit gd g1 2>&1 | grep -v /tmp
EDITOR=true kubectl edit gd g1
kubectl replace -f g1.yaml
kubectl replace --force -f g2.yaml
kubectl create --save-config -f <(sed 's/name: g2/name: g3/' g2.yaml)
kubectl apply view-last-applied gd g3
kubectl apply set-last-applied -f g1.yaml --create-annotation
# server-side apply
kubectl apply --server-side -f g2.yaml --field-manager=ann
kubectl apply --server-side -f <(sed 's/blue/red/' g2.yaml) --field-manager=bob
kubectl apply --server-side -f <(sed 's/blue/red/' g2.yaml) --field-manager=bob --force-conflicts
kubectl apply --server-side -f g2.yaml --field-manager=ann --dry-run=server
kubectl diff --server-side -f g2.yaml --field-manager=ann --force-conflicts | grep ' color: '
kubectl apply --server-side -f g1.yaml
kubectl get gd g1 -o yaml --show-managed-fields
kubectl apply --server-side -f <(sed 's/size: 3/bogus: 3/' g1.yaml)
# prune
mkdir all; cp g1.yaml g2.yaml all; sed 's/name: g2/name: g4/' g2.yaml >all/g4.yaml
kubectl apply -f all -l 'app in (one,two)' --prune --prune-allowlist=kx.example.org/v1/Gadget 2>&1 | sed 's/^E //' | sort
rm all/g4.yaml
kubectl apply -f all -l 'app in (one,two)' --prune --prune-allowlist=kx.example.org/v1/Gadget 2>&1 | sort
# watching
(kubectl get gd -w -o name >w1 2>/dev/null & echo $! >pid); sleep 0.2; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do grep -q g2 w1 && break; sleep 0.1; done; kubectl patch gd g2 --type=merge -p '{"spec":{"size":9}}'; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do [ $(grep -c g2 w1) -ge 2 ] && break; sleep 0.1; done; kill $(cat pid); grep g2 w1
(kubectl get gd g2 -w --output-watch-events >w2 2>/dev/null & echo $! >pid); sleep 0.2; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do grep -q g2 w2 && break; sleep 0.1; done; kubectl label gd g2 seen=yes; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do [ $(grep -c g2 w2) -ge 2 ] && break; sleep 0.1; done; kill $(cat pid); cat w2
# workloads
kubectl create deployment web --image=nginx:1 --replicas=2
? kubectl get deployment web
kubectl get deployment web -o jsonpath='{.spec.replicas} {.spec.strategy.type} {.spec.template.spec.containers[0].image} {.spec.template.spec.restartPolicy}{"\n"}'
kubectl set image deployment/web nginx=nginx:2
kubectl set env deployment/web A=1
kubectl get deployment web -o jsonpath='{.spec.template.spec.containers[0].image} {.spec.template.spec.containers[0].env}{"\n"}'
kubectl scale deployment web --replicas=3
kubectl get deployment web -o jsonpath='{.spec.replicas}{"\n"}'
kubectl patch deployment web -p '{"spec":{"template":{"spec":{"containers":[{"name":"nginx","image":"nginx:3"},{"name":"side","image":"side:1"}]}}}}'
kubectl get deployment web -o jsonpath='{range .spec.template.spec.containers[*]}{.name}={.image} {end}{"\n"}'
kubectl expose deployment web --port=80
kubectl get service web -o jsonpath='{.spec.ports} {.spec.selector} {.spec.type}{"\n"}'
kubectl create service nodeport np --tcp=80:8080
kubectl create job j --image=busybox -- true
kubectl get job j -o jsonpath='{.spec.template.spec.containers[0].command}{"\n"}'
kubectl create cronjob cj --image=busybox --schedule='*/5 * * * *' -- true
kubectl get cronjob cj
kubectl autoscale deployment web --max=4 --min=1
kubectl run pod1 --image=busybox --restart=Never
kubectl delete deployment/web service/web service/np job/j cronjob/cj pod/pod1 hpa/web --wait=false
# events
kubectl create -f <(printf 'apiVersion: v1\nkind: Event\nmetadata: {name: e1, namespace: kx}\ninvolvedObject: {apiVersion: kx.example.org/v1, kind: Gadget, name: g1, namespace: kx}\nreason: Tried\nmessage: it was tried\ntype: Normal\nfirstTimestamp: "2026-01-01T00:00:00Z"\nlastTimestamp: "2026-01-01T00:00:00Z"\ncount: 1\nsource: {component: test}\n')
kubectl get events --field-selector involvedObject.name=g1
kubectl get events.v1.events.k8s.io --field-selector regarding.name=g1 -o jsonpath='{.items[0].note} {.items[0].deprecatedCount}{"\n"}'
kubectl events --for gadget.kx.example.org/g1
kubectl describe gd g1 | tail -4
# deleting
kubectl delete gd g3 --dry-run=client
kubectl delete gd g3 --dry-run=server
kubectl delete gd g3
kubectl delete gd g3
kubectl delete gd g3 --ignore-not-found
kubectl delete gd -l app=two
kubectl delete gd --all --cascade=foreground
kubectl get gd
kubectl delete cm cm --now
kubectl delete -f g1.yaml
kubectl delete crd gadgets.kx.example.org --timeout=30s
? ! kubectl get gadgets
kubectl get gadgets
kubectl delete namespace kx --timeout=60s
kubectl get namespace kx
kubectl get cm -n kx
