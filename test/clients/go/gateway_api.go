package main

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/ptr"
	gateway "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/pkg/client/clientset/versioned"
	"sigs.k8s.io/gateway-api/pkg/client/informers/externalversions"
)

const controllerName = "go.test.gatehouse.dev/controller"

// gatewayAPI is a Gateway API implementation's skeleton: clientset, informers, a status per parent, a rule of the CRDs broken.
func gatewayAPI(ctx context.Context, config *rest.Config, namespace string) error {
	client, err := versioned.NewForConfig(config)
	if err != nil {
		return err
	}
	factory := externalversions.NewSharedInformerFactoryWithOptions(client, 0, externalversions.WithNamespace(namespace))
	routes := factory.Gateway().V1().HTTPRoutes()
	if _, err := routes.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: func(object any) { accept(ctx, client, object.(*gateway.HTTPRoute)) },
	}); err != nil {
		return err
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	class, err := client.GatewayV1().GatewayClasses().Create(ctx, &gateway.GatewayClass{
		ObjectMeta: metav1.ObjectMeta{Name: namespace},
		Spec:       gateway.GatewayClassSpec{ControllerName: controllerName},
	}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	defer func() {
		_ = client.GatewayV1().GatewayClasses().Delete(context.Background(), namespace, metav1.DeleteOptions{})
	}()
	if err := expect(len(class.Status.Conditions) == 1, "a new class has %d conditions", len(class.Status.Conditions)); err != nil {
		return err
	}
	if _, err := client.GatewayV1().HTTPRoutes(namespace).Create(ctx, httpRoute("good", "a.example"), metav1.CreateOptions{}); err != nil {
		return err
	}
	_, refused := client.GatewayV1().HTTPRoutes(namespace).Create(ctx, httpRoute("bad", "Not A Host"), metav1.CreateOptions{})
	if err := expect(refused != nil, "a host with spaces is taken"); err != nil {
		return err
	}
	return eventually(ctx, "the informer sees the status", func() error {
		route, err := routes.Lister().HTTPRoutes(namespace).Get("good")
		if err != nil {
			return err
		}
		return expect(len(route.Status.Parents) == 1 && route.Generation == 1, "status is %v", route.Status)
	})
}

func httpRoute(name, host string) *gateway.HTTPRoute {
	return &gateway.HTTPRoute{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: gateway.HTTPRouteSpec{
			CommonRouteSpec: gateway.CommonRouteSpec{ParentRefs: []gateway.ParentReference{{Name: "nobody"}}},
			Hostnames:       []gateway.Hostname{gateway.Hostname(host)},
			Rules: []gateway.HTTPRouteRule{{BackendRefs: []gateway.HTTPBackendRef{{BackendRef: gateway.BackendRef{
				BackendObjectReference: gateway.BackendObjectReference{Name: "backend", Port: ptr.To[gateway.PortNumber](80)},
			}}}}},
		},
	}
}

func accept(ctx context.Context, client versioned.Interface, route *gateway.HTTPRoute) {
	route = route.DeepCopy()
	route.Status.Parents = []gateway.RouteParentStatus{{
		ParentRef:      route.Spec.ParentRefs[0],
		ControllerName: controllerName,
		Conditions: []metav1.Condition{{
			Type: "Accepted", Status: "True", Reason: "Accepted", ObservedGeneration: route.Generation, LastTransitionTime: metav1.Now(),
		}},
	}}
	_, _ = client.GatewayV1().HTTPRoutes(route.Namespace).UpdateStatus(ctx, route, metav1.UpdateOptions{})
}
