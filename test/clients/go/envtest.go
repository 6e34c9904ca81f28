package main

import (
	"context"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

func definitions(plural, kind string) []*apiextensions.CustomResourceDefinition {
	return []*apiextensions.CustomResourceDefinition{definition(plural, kind)}
}

// installDefinitions is the frame of operators' integration tests: a cluster that exists, definitions in and out again.
func installDefinitions(ctx context.Context, config *rest.Config, namespace string) error {
	environment := &envtest.Environment{
		UseExistingCluster: ptr.To(true),
		Config:             config,
		CRDInstallOptions:  envtest.CRDInstallOptions{CRDs: definitions("samples", "Sample"), CleanUpAfterUse: true},
	}
	started, err := environment.Start()
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(started)
	if err != nil {
		return err
	}
	served := func() bool {
		list, err := client.Discovery().ServerResourcesForGroupVersion(testGroup + "/v1")
		if err != nil {
			return false
		}
		for _, resource := range list.APIResources {
			if resource.Kind == "Sample" {
				return true
			}
		}
		return false
	}
	if err := expect(served(), "the kind is not served once it is installed"); err != nil {
		return err
	}
	_, err = client.CoreV1().Namespaces().Get(ctx, namespace, metav1.GetOptions{})
	return first(err, environment.Stop(), expect(!served(), "the kind is served once it is taken away"))
}
