package main

import (
	"context"
	"fmt"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
)

const testGroup = "go.test.gatehouse.dev"

// definition is a CustomResourceDefinition with a status and a scale subresource.
func definition(plural, kind string) *apiextensions.CustomResourceDefinition {
	open := apiextensions.JSONSchemaProps{Type: "object", XPreserveUnknownFields: ptr.To(true)}
	spec := apiextensions.JSONSchemaProps{Type: "object", Properties: map[string]apiextensions.JSONSchemaProps{
		"replicas": {Type: "integer", Minimum: ptr.To(0.0), Default: &apiextensions.JSON{Raw: []byte("1")}},
		"size":     {Type: "string"},
	}}
	return &apiextensions.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: plural + "." + testGroup},
		Spec: apiextensions.CustomResourceDefinitionSpec{
			Group: testGroup,
			Scope: apiextensions.NamespaceScoped,
			Names: apiextensions.CustomResourceDefinitionNames{Plural: plural, Kind: kind},
			Versions: []apiextensions.CustomResourceDefinitionVersion{{
				Name: "v1", Served: true, Storage: true,
				Schema: &apiextensions.CustomResourceValidation{OpenAPIV3Schema: &apiextensions.JSONSchemaProps{
					Type:       "object",
					Properties: map[string]apiextensions.JSONSchemaProps{"spec": spec, "status": open},
				}},
				Subresources: &apiextensions.CustomResourceSubresources{
					Status: &apiextensions.CustomResourceSubresourceStatus{},
					Scale:  &apiextensions.CustomResourceSubresourceScale{SpecReplicasPath: ".spec.replicas", StatusReplicasPath: ".status.replicas"},
				},
			}},
		},
	}
}

// dynamicObjects goes through the dynamic and the metadata client with a kind nobody compiled.
func dynamicObjects(ctx context.Context, config *rest.Config, namespace string) error {
	extensions, err := clientset.NewForConfig(config)
	if err != nil {
		return err
	}
	crds := extensions.ApiextensionsV1().CustomResourceDefinitions()
	crd, err := crds.Create(ctx, definition("dynamics", "Dynamic"), metav1.CreateOptions{})
	if err != nil {
		return err
	}
	defer func() { _ = crds.Delete(context.Background(), crd.Name, metav1.DeleteOptions{}) }()
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return err
	}
	resource := schema.GroupVersionResource{Group: testGroup, Version: "v1", Resource: "dynamics"}
	objects := client.Resource(resource).Namespace(namespace)
	if err := eventually(ctx, "the kind is served", func() error {
		_, err := objects.List(ctx, metav1.ListOptions{})
		return err
	}); err != nil {
		return err
	}
	return first(dynamicWrites(ctx, objects), metadataOnly(ctx, config, resource, namespace))
}

func dynamicWrites(ctx context.Context, objects dynamic.ResourceInterface) error {
	watcher, err := objects.Watch(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	defer watcher.Stop()
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": testGroup + "/v1", "kind": "Dynamic",
		"metadata": map[string]any{"generateName": "dynamic-", "finalizers": []any{testGroup + "/keep"}},
		"spec":     map[string]any{"size": "big", "unknown": true},
		"status":   map[string]any{"phase": "forged"},
	}}
	created, err := objects.Create(ctx, object, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	_, unknown, _ := unstructured.NestedBool(created.Object, "spec", "unknown")
	_, forged, _ := unstructured.NestedString(created.Object, "status", "phase")
	replicas, _, _ := unstructured.NestedInt64(created.Object, "spec", "replicas")
	_ = unstructured.SetNestedField(created.Object, "Ready", "status", "phase")
	_ = unstructured.SetNestedField(created.Object, "small", "spec", "size")
	updated, err := objects.UpdateStatus(ctx, created, metav1.UpdateOptions{})
	if err != nil {
		return err
	}
	size, _, _ := unstructured.NestedString(updated.Object, "spec", "size")
	_ = unstructured.SetNestedField(updated.Object, int64(-1), "spec", "replicas")
	_, invalid := objects.Update(ctx, updated, metav1.UpdateOptions{})
	if err := first(
		expect(!unknown && !forged && replicas == 1, "neither pruned nor completed: %v", created.Object),
		expect(size == "big" && updated.GetGeneration() == 1, "a status write changed the rest: %v", updated.Object),
		expect(apierrors.IsInvalid(invalid), "a value below the minimum: %v", invalid),
		objects.Delete(ctx, created.GetName(), metav1.DeleteOptions{}),
	); err != nil {
		return err
	}
	if _, err := objects.Patch(ctx, created.GetName(), "application/merge-patch+json", []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{}); err != nil {
		return err
	}
	for _, want := range []watch.EventType{watch.Added, watch.Modified, watch.Modified, watch.Deleted} {
		select {
		case event := <-watcher.ResultChan():
			if event.Type != want {
				return fmt.Errorf("the watch tells %s where %s was due", event.Type, want)
			}
		case <-ctx.Done():
			return fmt.Errorf("the watch does not tell %s", want)
		}
	}
	return nil
}

func metadataOnly(ctx context.Context, config *rest.Config, resource schema.GroupVersionResource, namespace string) error {
	client, err := metadata.NewForConfig(config)
	if err != nil {
		return err
	}
	list, err := client.Resource(resource).Namespace(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	all, err := client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}).List(ctx, metav1.ListOptions{Limit: 1})
	if err != nil {
		return err
	}
	return first(
		expect(len(list.Items) == 0, "%d objects are left", len(list.Items)),
		expect(len(all.Items) == 1 && all.Items[0].Kind == "PartialObjectMetadata", "%v is no metadata", all.Items),
	)
}
