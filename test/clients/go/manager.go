package main

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

var managedKind = schema.GroupVersionKind{Group: testGroup, Version: "v1", Kind: "Managed"}

// reconciler keeps a ConfigMap for each Managed and says so in its status.
type reconciler struct{ client.Client }

func (r *reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	owner := &unstructured.Unstructured{}
	owner.SetGroupVersionKind(managedKind)
	if err := r.Get(ctx, request.NamespacedName, owner); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	size, _, _ := unstructured.NestedString(owner.Object, "spec", "size")
	made := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: owner.GetName(), Namespace: owner.GetNamespace()}}
	if _, err := controllerutil.CreateOrUpdate(ctx, r.Client, made, func() error {
		made.Data = map[string]string{"size": size}
		return controllerutil.SetControllerReference(owner, made, r.Scheme())
	}); err != nil {
		return ctrl.Result{}, err
	}
	if told, _, _ := unstructured.NestedString(owner.Object, "status", "size"); told == size {
		return ctrl.Result{}, nil
	}
	if err := unstructured.SetNestedField(owner.Object, size, "status", "size"); err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{}, r.Status().Update(ctx, owner)
}

// manager is an operator: its definition installed, leader election, a cached client with an index, owned objects, a status.
func manager(ctx context.Context, config *rest.Config, namespace string) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	crds, err := envtest.InstallCRDs(config, envtest.CRDInstallOptions{CRDs: definitions("manageds", "Managed")})
	if err != nil {
		return err
	}
	defer func() { _ = envtest.UninstallCRDs(config, envtest.CRDInstallOptions{CRDs: crds}) }()
	m, err := ctrl.NewManager(config, ctrl.Options{
		LeaderElection: true, LeaderElectionID: "manager." + testGroup, LeaderElectionNamespace: namespace,
		LeaderElectionReleaseOnCancel: true,
		Metrics:                       server.Options{BindAddress: "0"},
		Cache:                         cache.Options{DefaultNamespaces: map[string]cache.Config{namespace: {}}},
	})
	if err != nil {
		return err
	}
	bySize := func(object client.Object) []string { return []string{object.(*corev1.ConfigMap).Data["size"]} }
	if err := m.GetFieldIndexer().IndexField(ctx, &corev1.ConfigMap{}, "data.size", bySize); err != nil {
		return err
	}
	kind := &unstructured.Unstructured{}
	kind.SetGroupVersionKind(managedKind)
	if err := ctrl.NewControllerManagedBy(m).For(kind).Owns(&corev1.ConfigMap{}).Complete(&reconciler{m.GetClient()}); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- m.Start(ctx) }()
	if err := first(useManaged(ctx, m.GetClient(), namespace)); err != nil {
		return err
	}
	stop()
	return <-ended
}

func useManaged(ctx context.Context, cached client.Client, namespace string) error {
	object := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"size": "big"}}}
	object.SetGroupVersionKind(managedKind)
	object.SetName("one")
	object.SetNamespace(namespace)
	if err := cached.Create(ctx, object); err != nil {
		return err
	}
	key := client.ObjectKeyFromObject(object)
	reconciled := func(size string) func() error {
		return func() error {
			if err := cached.Get(ctx, key, object); err != nil {
				return err
			}
			told, _, _ := unstructured.NestedString(object.Object, "status", "size")
			var maps corev1.ConfigMapList
			if err := cached.List(ctx, &maps, client.InNamespace(namespace), client.MatchingFields{"data.size": size}); err != nil {
				return err
			}
			return expect(told == size && len(maps.Items) == 1, "status says %q, %d ConfigMaps", told, len(maps.Items))
		}
	}
	if err := eventually(ctx, "reconciled", reconciled("big")); err != nil {
		return err
	}
	patch := client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"size":"small"}}`))
	if err := cached.Patch(ctx, object, patch); err != nil {
		return err
	}
	if err := eventually(ctx, "reconciled again", reconciled("small")); err != nil {
		return err
	}
	owned := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "one", Namespace: namespace}}
	if err := cached.Delete(ctx, owned); err != nil {
		return err
	}
	if err := eventually(ctx, "what was deleted is made again", func() error {
		err := cached.Get(ctx, key, owned)
		return first(err, expect(owned.DeletionTimestamp == nil && owned.Data["size"] == "small", "it is %v", owned.Data))
	}); err != nil {
		return err
	}
	if err := cached.Delete(ctx, object); err != nil {
		return err
	}
	return eventually(ctx, "the garbage collector", func() error {
		err := cached.Get(ctx, key, owned)
		return first(expect(err != nil, "the owned ConfigMap is left"), ignoreNotFound(err))
	})
}

func ignoreNotFound(err error) error {
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("the owned ConfigMap: %w", err)
	}
	return nil
}
