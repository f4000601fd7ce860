// informer keeps a copy of two kinds through client-go's informers while the
// server under it is written to, killed (kill -9) and started again, and holds
// the copy against the server's own lists after each round.
//
// usage: informer KUBECONFIG ROUNDS SEED COMMAND...   the command serves
//
// Prints TAP. KUBE_FEATURE_WatchListClient=true chooses streaming lists.
package main

import (
	"bufio"
	"context"
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

var (
	definitions = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
	kinds       = []schema.GroupVersionResource{
		{Version: "v1", Resource: "configmaps"},
		{Group: "informed.example.org", Version: "v1", Resource: "things"},
	}
)

const definition = `{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition",
"metadata":{"name":"things.informed.example.org"},"spec":{"group":"informed.example.org","scope":"Namespaced",
"names":{"plural":"things","kind":"Thing"},"versions":[{"name":"v1","served":true,"storage":true,
"schema":{"openAPIV3Schema":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}]}}`

// server is the program under test, started by a command.
type server struct {
	command []string
	process *exec.Cmd
}

func (s *server) start() error {
	s.process = exec.Command(s.command[0], s.command[1:]...)
	out, err := s.process.StdoutPipe()
	if err != nil {
		return err
	}
	if err := s.process.Start(); err != nil {
		return err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.Contains(line, "serving") {
		return fmt.Errorf("the server does not start: %q %v", line, err)
	}
	return nil
}

func (s *server) kill() {
	_ = s.process.Process.Kill()
	_ = s.process.Wait()
}

// mirror is a copy kept from the handlers' calls alone: what the store holds is
// client-go's affair, what was told is the server's.
type mirror struct {
	sync.Mutex
	told map[string]string
}

func key(o metav1.Object) string { return o.GetNamespace() + "/" + o.GetName() }

func state(o metav1.Object) string {
	return fmt.Sprint(o.GetUID(), " ", o.GetResourceVersion(), " ", o.GetLabels())
}

func (m *mirror) set(o interface{}) {
	m.Lock()
	defer m.Unlock()
	meta := o.(metav1.Object)
	m.told[key(meta)] = state(meta)
}

func (m *mirror) drop(o interface{}) {
	if lost, ok := o.(cache.DeletedFinalStateUnknown); ok {
		o = lost.Obj
	}
	m.Lock()
	defer m.Unlock()
	delete(m.told, key(o.(metav1.Object)))
}

func (m *mirror) copy() map[string]string {
	m.Lock()
	defer m.Unlock()
	c := map[string]string{}
	for k, v := range m.told {
		c[k] = v
	}
	return c
}

func watch(i cache.SharedIndexInformer) (*mirror, error) {
	m := &mirror{told: map[string]string{}}
	_, err := i.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(o interface{}) { m.set(o) },
		UpdateFunc: func(_, o interface{}) { m.set(o) },
		DeleteFunc: func(o interface{}) { m.drop(o) },
	})
	return m, err
}

type world struct {
	client  dynamic.Interface
	stores  []cache.SharedIndexInformer
	mirrors []*mirror
	names   []string
	gvrs    []schema.GroupVersionResource
	rnd     *rand.Rand
	server  *server
}

func (w *world) add(name string, gvr schema.GroupVersionResource, i cache.SharedIndexInformer) error {
	m, err := watch(i)
	w.stores, w.mirrors = append(w.stores, i), append(w.mirrors, m)
	w.names, w.gvrs = append(w.names, name), append(w.gvrs, gvr)
	return err
}

// write does one random write; a server that is away is no error.
func (w *world) write() {
	ctx, gvr := context.Background(), kinds[w.rnd.Intn(len(kinds))]
	c := w.client.Resource(gvr).Namespace("default")
	name := "o" + strconv.Itoa(w.rnd.Intn(40))
	kind := map[string]string{"configmaps": "ConfigMap", "things": "Thing"}[gvr.Resource]
	o := &unstructured.Unstructured{Object: map[string]interface{}{
		"apiVersion": gvr.GroupVersion().String(), "kind": kind,
		"metadata": map[string]interface{}{"name": name, "labels": map[string]interface{}{"n": strconv.Itoa(w.rnd.Intn(1000))}},
	}}
	switch w.rnd.Intn(4) {
	case 0:
		_, _ = c.Create(ctx, o, metav1.CreateOptions{})
	case 1:
		_ = c.Delete(ctx, name, metav1.DeleteOptions{})
	default:
		_, _ = c.Apply(ctx, name, o, metav1.ApplyOptions{FieldManager: "informer", Force: true})
	}
}

func (w *world) want(gvr schema.GroupVersionResource) (map[string]string, error) {
	l, err := w.client.Resource(gvr).List(context.Background(), metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	m := map[string]string{}
	for i := range l.Items {
		m[key(&l.Items[i])] = state(&l.Items[i])
	}
	return m, nil
}

func (w *world) have(i int) map[string]string {
	m := map[string]string{}
	for _, o := range w.stores[i].GetStore().List() {
		meta := o.(metav1.Object)
		m[key(meta)] = state(meta)
	}
	return m
}

// settled waits (client-go backs off up to a minute) until the i-th copy, and what was told, equal the server's list.
func (w *world) settled(i int) string {
	var have, told, want map[string]string
	for end := time.Now().Add(150 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		var err error
		if want, err = w.want(w.gvrs[i]); err != nil {
			continue
		}
		have, told = w.have(i), w.mirrors[i].copy()
		if reflect.DeepEqual(have, want) && reflect.DeepEqual(told, want) {
			return ""
		}
	}
	return fmt.Sprintf("store %v\n# told %v\n# server %v", have, told, want)
}

func (w *world) round(n int) bool {
	kill := w.rnd.Intn(200)
	for i := 0; i < 200; i++ {
		w.write()
		if i == kill {
			w.server.kill()
			if err := w.server.start(); err != nil {
				fmt.Println("not ok - restart:", err)
				return false
			}
		}
	}
	good := true
	for i := range w.stores {
		what := fmt.Sprintf("%d - round %d, killed after %d writes: %s is exact", n*len(w.stores)+i+1, n+1, kill, w.names[i])
		if bad := w.settled(i); bad != "" {
			fmt.Printf("not ok %s\n# %s\n", what, bad)
			good = false
		} else {
			fmt.Println("ok " + what)
		}
	}
	return good
}

func (w *world) prepare(config *rest.Config) error {
	crd := &unstructured.Unstructured{}
	if err := crd.UnmarshalJSON([]byte(definition)); err != nil {
		return err
	}
	_, err := w.client.Resource(definitions).Create(context.Background(), crd, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	for {
		if _, err = w.client.Resource(kinds[1]).List(context.Background(), metav1.ListOptions{}); err == nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	full := dynamicinformer.NewDynamicSharedInformerFactory(w.client, 0)
	part, err := metadata.NewForConfig(config)
	if err != nil {
		return err
	}
	meta := metadatainformer.NewSharedInformerFactory(part, 0)
	for _, gvr := range kinds {
		if err := w.add("full "+gvr.Resource, gvr, full.ForResource(gvr).Informer()); err != nil {
			return err
		}
		if err := w.add("metadata of "+gvr.Resource, gvr, meta.ForResource(gvr).Informer()); err != nil {
			return err
		}
	}
	full.Start(context.Background().Done())
	meta.Start(context.Background().Done())
	return nil
}

func run(args []string) error {
	rounds, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	seed, err := strconv.ParseInt(args[2], 10, 64)
	if err != nil {
		return err
	}
	w := &world{rnd: rand.New(rand.NewSource(seed)), server: &server{command: args[3:]}}
	if err := w.server.start(); err != nil {
		return err
	}
	defer w.server.kill()
	config, err := clientcmd.BuildConfigFromFlags("", args[0])
	if err != nil {
		return err
	}
	config.QPS = -1
	if w.client, err = dynamic.NewForConfig(config); err != nil {
		return err
	}
	if err := w.prepare(config); err != nil {
		return err
	}
	for n := 0; n < rounds; n++ {
		if !w.round(n) {
			return fmt.Errorf("round %d", n+1)
		}
	}
	fmt.Printf("1..%d\n", rounds*len(w.stores))
	return nil
}

func main() {
	if len(os.Args) < 5 {
		fmt.Fprintln(os.Stderr, "usage: informer KUBECONFIG ROUNDS SEED COMMAND...")
		os.Exit(2)
	}
	if err := run(os.Args[1:]); err != nil {
		fmt.Printf("# %v\n", err)
		os.Exit(1)
	}
}
