package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// watchLatency prints how long after a write was sent, and after it was answered, a watch of another connection tells of it.
func watchLatency(ctx context.Context, config *rest.Config, namespace string) error {
	writer, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	other := rest.CopyConfig(config)
	other.Timeout = time.Minute
	reader, err := kubernetes.NewForConfig(other)
	if err != nil {
		return err
	}
	watcher, err := reader.CoreV1().ConfigMaps(namespace).Watch(ctx, metav1.ListOptions{LabelSelector: "latency"})
	if err != nil {
		return err
	}
	defer watcher.Stop()
	var sinceSent []time.Duration
	for i := range 200 {
		sent := time.Now()
		created := make(chan error, 1)
		go func() {
			_, err := writer.CoreV1().ConfigMaps(namespace).Create(ctx, configMap(fmt.Sprintf("latency-%d", i), map[string]string{"latency": "x"}), metav1.CreateOptions{})
			created <- err
		}()
		select {
		case <-watcher.ResultChan():
			sinceSent = append(sinceSent, time.Since(sent))
		case <-ctx.Done():
			return fmt.Errorf("event %d does not come", i)
		}
		if err := <-created; err != nil {
			return err
		}
	}
	slices.Sort(sinceSent)
	fmt.Printf("from the request being sent to the watch's event: p50 %s, p99 %s\n", sinceSent[100], sinceSent[198])
	return nil
}
