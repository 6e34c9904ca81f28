package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
)

// told counts what an informer's handlers were told.
type told struct{ added, updated, deleted, resynced atomic.Int32 }

func (t *told) handlers() cache.ResourceEventHandlerFuncs {
	return cache.ResourceEventHandlerFuncs{
		AddFunc: func(any) { t.added.Add(1) },
		UpdateFunc: func(old, current any) {
			if old.(metav1.Object).GetResourceVersion() == current.(metav1.Object).GetResourceVersion() {
				t.resynced.Add(1)
			} else {
				t.updated.Add(1)
			}
		},
		DeleteFunc: func(any) { t.deleted.Add(1) },
	}
}

func (t *told) is(added, updated, deleted int32) func() error {
	return func() error {
		got := [3]int32{t.added.Load(), t.updated.Load(), t.deleted.Load()}
		return expect(got == [3]int32{added, updated, deleted}, "added, updated, deleted are %v", got)
	}
}

// informer watches the ConfigMaps with label keep. KUBE_FEATURE_WatchListClient=false in the environment makes it list first;
// otherwise the watch brings the state too (KEP-3157).
func informer(ctx context.Context, config *rest.Config, namespace string) error {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	maps := client.CoreV1().ConfigMaps(namespace)
	// Told apart by the process: the namespace may have seen another.
	mine := fmt.Sprintf("keep-%d", os.Getpid())
	keep := map[string]string{mine: "yes"}
	for suffix, labels := range map[string]map[string]string{"-a": keep, "-b": keep, "-other": nil} {
		if _, err := maps.Create(ctx, configMap(mine+suffix, labels), metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	heard := &told{}
	factory := informers.NewSharedInformerFactoryWithOptions(client, time.Second, informers.WithNamespace(namespace),
		informers.WithTweakListOptions(func(options *metav1.ListOptions) { options.LabelSelector = mine }))
	shared := factory.Core().V1().ConfigMaps()
	if _, err := shared.Informer().AddEventHandler(heard.handlers()); err != nil {
		return err
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	if err := eventually(ctx, "the initial state", heard.is(2, 0, 0)); err != nil {
		return err
	}
	for _, patch := range []string{`{"data":{"x":"1"}}`, `{"data":{"x":"1"}}`, `{"metadata":{"labels":null}}`} {
		if _, err := maps.Patch(ctx, mine+"-a", "application/merge-patch+json", []byte(patch), metav1.PatchOptions{}); err != nil {
			return err
		}
	}
	// One change, one write that changes nothing, one that leaves the selector.
	if err := eventually(ctx, "changes", heard.is(2, 1, 1)); err != nil {
		return err
	}
	return eventually(ctx, "resync", func() error {
		return expect(heard.resynced.Load() > 0, "nothing was told again")
	})
}

// pushOut writes more than a server remembers of one kind.
func pushOut(ctx context.Context, client kubernetes.Interface, namespace string) error {
	const writers, each = 16, 150
	ended := make(chan error, writers)
	for writer := range writers {
		go func() {
			var err error
			name := fmt.Sprintf("pushing-%d", writer)
			_, err = client.CoreV1().ConfigMaps(namespace).Create(ctx, configMap(name, nil), metav1.CreateOptions{})
			for i := 0; i < each && err == nil; i++ {
				patch := fmt.Sprintf(`{"data":{"i":"%d"}}`, i)
				_, err = client.CoreV1().ConfigMaps(namespace).Patch(ctx, name, "application/merge-patch+json", []byte(patch), metav1.PatchOptions{})
			}
			ended <- err
		}()
	}
	for range writers {
		if err := <-ended; err != nil {
			return err
		}
	}
	return nil
}

// expiredWatch starts where history no longer reaches, as an informer does after a night's sleep, and gets going again.
func expiredWatch(ctx context.Context, config *rest.Config, namespace string) error {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	maps := client.CoreV1().ConfigMaps(namespace)
	if err := pushOut(ctx, client, namespace); err != nil {
		return err
	}
	watcher, err := maps.Watch(ctx, metav1.ListOptions{ResourceVersion: "1"})
	if err == nil {
		select {
		case event := <-watcher.ResultChan():
			err = apierrors.FromObject(event.Object)
			if event.Type != watch.Error {
				return fmt.Errorf("a watch from revision 1 tells %s: history goes back to the beginning", event.Type)
			}
		case <-ctx.Done():
			return fmt.Errorf("a watch from revision 1 tells nothing")
		}
	}
	if err := expect(apierrors.IsResourceExpired(err) || apierrors.IsGone(err), "a watch from revision 1: %v", err); err != nil {
		return err
	}
	source := &cache.ListWatch{
		ListFunc: func(options metav1.ListOptions) (runtime.Object, error) { return maps.List(ctx, options) },
		WatchFunc: func(options metav1.ListOptions) (watch.Interface, error) {
			return maps.Watch(ctx, options)
		},
	}
	_, err = watchtools.UntilWithSync(ctx, source, &corev1.ConfigMap{}, nil, func(event watch.Event) (bool, error) {
		return strings.HasPrefix(event.Object.(*corev1.ConfigMap).Name, "kube-root-ca"), nil
	})
	return err
}
