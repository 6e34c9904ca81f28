package main

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedcore "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	newevents "k8s.io/client-go/tools/events"
	"k8s.io/client-go/tools/record"
)

// eventRecorders tells Events through both recorders of client-go, each three times, and finds one object of each with its count.
func eventRecorders(ctx context.Context, config *rest.Config, namespace string) error {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	about, err := client.CoreV1().ConfigMaps(namespace).Create(ctx, configMap("about", nil), metav1.CreateOptions{})
	if err != nil {
		return err
	}
	about.APIVersion, about.Kind = "v1", "ConfigMap"
	old := record.NewBroadcaster()
	defer old.Shutdown()
	old.StartRecordingToSink(&typedcore.EventSinkImpl{Interface: client.CoreV1().Events(namespace)})
	recorder := old.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "old"})
	new := newevents.NewBroadcaster(&newevents.EventSinkImpl{Interface: client.EventsV1()})
	defer new.Shutdown()
	if err := new.StartRecordingToSinkWithContext(ctx); err != nil {
		return err
	}
	newRecorder := new.NewRecorder(scheme.Scheme, "new.test.gatehouse.dev/controller")
	for range 3 {
		recorder.Event(about, corev1.EventTypeNormal, "Old", "told the old way")
		newRecorder.Eventf(about, nil, corev1.EventTypeNormal, "New", "Telling", "told the new way")
	}
	if err := eventually(ctx, "core Events", func() error {
		list, err := client.CoreV1().Events(namespace).List(ctx, metav1.ListOptions{FieldSelector: "involvedObject.name=about,reason=Old"})
		if err != nil {
			return err
		}
		return expect(len(list.Items) == 1 && list.Items[0].Count == 3, "there are %d", len(list.Items))
	}); err != nil {
		return err
	}
	return eventually(ctx, "events.k8s.io Events", func() error {
		list, err := client.EventsV1().Events(namespace).List(ctx, metav1.ListOptions{FieldSelector: "regarding.name=about,reason=New"})
		if err != nil {
			return err
		}
		return expect(len(list.Items) == 1 && list.Items[0].Note == "told the new way", "there are %d", len(list.Items))
	})
}
