package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/openapi"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/scale"
)

// discoveryAndMapper finds kinds as every generic tool does: aggregated and legacy discovery, a RESTMapper with short names.
func discoveryAndMapper(ctx context.Context, config *rest.Config, namespace string) error {
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return err
	}
	version, err := client.ServerVersion()
	if err != nil {
		return err
	}
	_, aggregated, err := client.ServerGroupsAndResources()
	if err != nil {
		return err
	}
	client.UseLegacyDiscovery = true
	_, legacy, err := client.ServerGroupsAndResources()
	if err != nil {
		return err
	}
	client.UseLegacyDiscovery = false
	if err := first(
		expect(version.Major == "1" && version.Minor != "", "version is %v", version),
		expect(builtIn(aggregated) == builtIn(legacy), "aggregated %s, legacy %s", builtIn(aggregated), builtIn(legacy)),
	); err != nil {
		return err
	}
	groups, err := client.OpenAPIV3().Paths()
	if err != nil {
		return err
	}
	if _, err := groups["apis/apps/v1"].Schema(openapi.ContentTypeOpenAPIV3PB); err != nil {
		return fmt.Errorf("OpenAPI v3 as protobuf: %w", err)
	}
	if _, err := client.OpenAPISchema(); err != nil {
		return fmt.Errorf("OpenAPI v2: %w", err)
	}
	return mapKinds(client)
}

// builtIn names the group versions but those of custom kinds, which others may be taking away just now.
func builtIn(lists []*metav1.APIResourceList) string {
	names := []string{}
	for _, list := range lists {
		if group := strings.Split(list.GroupVersion, "/")[0]; !strings.Contains(group, ".") || strings.HasSuffix(group, ".k8s.io") {
			names = append(names, fmt.Sprintf("%s:%d", list.GroupVersion, len(list.APIResources)))
		}
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func mapKinds(client discovery.DiscoveryInterface) error {
	cached := memory.NewMemCacheClient(client)
	mapper := restmapper.NewShortcutExpander(restmapper.NewDeferredDiscoveryRESTMapper(cached), cached, nil)
	for short, want := range map[string]schema.GroupVersionResource{
		"deploy": {Group: "apps", Version: "v1", Resource: "deployments"},
		"po":     {Version: "v1", Resource: "pods"},
		"crd":    {Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"},
		"leases": {Group: "coordination.k8s.io", Version: "v1", Resource: "leases"},
	} {
		got, err := mapper.ResourceFor(schema.GroupVersionResource{Resource: short})
		if err != nil {
			return err
		}
		if err := expect(got == want, "%s is %v", short, got); err != nil {
			return err
		}
	}
	mapping, err := mapper.RESTMapping(schema.GroupKind{Group: "apps", Kind: "Deployment"})
	if err != nil {
		return err
	}
	_, unknown := mapper.RESTMapping(schema.GroupKind{Group: "nobody.example", Kind: "Nothing"})
	kind, err := scale.NewDiscoveryScaleKindResolver(client).ScaleForResource(schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"})
	if err != nil {
		return err
	}
	return first(
		expect(mapping.Scope.Name() == meta.RESTScopeNameNamespace, "Deployments are in no namespace"),
		expect(meta.IsNoMatchError(unknown), "an unknown kind: %v", unknown),
		expect(kind.Kind == "Scale", "the scale of Deployments is %v", kind),
	)
}
