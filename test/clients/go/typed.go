package main

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/retry"
	"k8s.io/utils/ptr"
)

// typed goes through every method of a typed client, with protobuf as the only encoding it asks for.
func typed(ctx context.Context, config *rest.Config, namespace string) error {
	config = rest.CopyConfig(config)
	config.ContentType = "application/vnd.kubernetes.protobuf"
	config.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	for _, step := range []func(context.Context, kubernetes.Interface, string) error{
		typedWrites, typedRefusals, typedPages, typedDeployment, typedDeletes,
	} {
		if err := step(ctx, client, namespace); err != nil {
			return err
		}
	}
	return nil
}

func configMap(name string, labels map[string]string) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels},
		Data:       map[string]string{"a": "1"},
		BinaryData: map[string][]byte{"b": {0, 255}},
	}
}

func typedWrites(ctx context.Context, client kubernetes.Interface, namespace string) error {
	maps := client.CoreV1().ConfigMaps(namespace)
	created, err := maps.Create(ctx, configMap("typed", nil), metav1.CreateOptions{FieldManager: "typed"})
	if err != nil {
		return err
	}
	created.Data["a"] = "2"
	updated, err := maps.Update(ctx, created, metav1.UpdateOptions{})
	if err != nil {
		return err
	}
	for kind, patch := range map[types.PatchType]string{
		types.JSONPatchType:           `[{"op":"replace","path":"/data/a","value":"3"}]`,
		types.MergePatchType:          `{"data":{"m":"4"}}`,
		types.StrategicMergePatchType: `{"data":{"s":"5"}}`,
	} {
		if _, err := maps.Patch(ctx, "typed", kind, []byte(patch), metav1.PatchOptions{}); err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
	}
	read, err := maps.Get(ctx, "typed", metav1.GetOptions{})
	if err != nil {
		return err
	}
	want := map[string]string{"a": "3", "m": "4", "s": "5"}
	return first(
		expect(fmt.Sprint(read.Data) == fmt.Sprint(want), "data is %v", read.Data),
		expect(string(read.BinaryData["b"]) == "\x00\xff", "binaryData is %v", read.BinaryData),
		expect(updated.UID == read.UID && updated.ResourceVersion != read.ResourceVersion, "versions do not move"),
	)
}

func typedRefusals(ctx context.Context, client kubernetes.Interface, namespace string) error {
	maps := client.CoreV1().ConfigMaps(namespace)
	_, exists := maps.Create(ctx, configMap("typed", nil), metav1.CreateOptions{})
	_, notFound := maps.Get(ctx, "nobody", metav1.GetOptions{})
	stale := configMap("typed", nil)
	stale.ResourceVersion = "1"
	_, conflict := maps.Update(ctx, stale, metav1.UpdateOptions{})
	_, invalid := maps.Create(ctx, configMap("Not_A_Name", nil), metav1.CreateOptions{})
	_, dry := maps.Create(ctx, configMap("dry", nil), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	_, noDry := maps.Get(ctx, "dry", metav1.GetOptions{})
	return first(
		dry,
		expect(apierrors.IsAlreadyExists(exists), "twice the same name: %v", exists),
		expect(apierrors.IsNotFound(notFound), "an absent name: %v", notFound),
		expect(apierrors.IsConflict(conflict), "a stale version: %v", conflict),
		expect(apierrors.IsInvalid(invalid), "a wrong name: %v", invalid),
		expect(apierrors.IsNotFound(noDry), "after a dry run: %v", noDry),
	)
}

func typedPages(ctx context.Context, client kubernetes.Interface, namespace string) error {
	maps := client.CoreV1().ConfigMaps(namespace)
	for i := range 7 {
		if _, err := maps.Create(ctx, configMap(fmt.Sprintf("page-%d", i), map[string]string{"page": "x"}), metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	options := metav1.ListOptions{LabelSelector: "page", Limit: 3}
	names, revision := []string{}, ""
	for {
		page, err := maps.List(ctx, options)
		if err != nil {
			return err
		}
		if revision != "" && page.ResourceVersion != revision {
			return fmt.Errorf("pages of %s and %s", revision, page.ResourceVersion)
		}
		revision = page.ResourceVersion
		for _, item := range page.Items {
			names = append(names, item.Name)
		}
		// Removed between two pages, and still part of the snapshot.
		_ = maps.Delete(ctx, "page-6", metav1.DeleteOptions{})
		if options.Continue = page.Continue; page.Continue == "" {
			return expect(len(names) == 7 && names[6] == "page-6", "pages hold %v", names)
		}
	}
}

func typedDeployment(ctx context.Context, client kubernetes.Interface, namespace string) error {
	labels := map[string]string{"app": "typed"}
	deployments := client.AppsV1().Deployments(namespace)
	template := corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: labels},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "traefik/whoami"}}},
	}
	deployment, err := deployments.Create(ctx, &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "typed"},
		Spec:       appsv1.DeploymentSpec{Replicas: ptr.To[int32](0), Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: template},
	}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	if err := expect(deployment.Generation == 1 && deployment.Spec.RevisionHistoryLimit != nil, "no defaults"); err != nil {
		return err
	}
	// The controller writes the status meanwhile: a conflict is part of the game.
	if err := retry.RetryOnConflict(retry.DefaultRetry, func() error {
		scale, err := deployments.GetScale(ctx, "typed", metav1.GetOptions{})
		if err != nil {
			return err
		}
		scale.Spec.Replicas = 2
		_, err = deployments.UpdateScale(ctx, "typed", scale, metav1.UpdateOptions{})
		return err
	}); err != nil {
		return err
	}
	return eventually(ctx, "deployment", func() error {
		deployment, err := deployments.Get(ctx, "typed", metav1.GetOptions{})
		if err != nil {
			return err
		}
		status := deployment.Status
		return expect(status.ObservedGeneration == 2 && status.Replicas == 2, "status is %v", status)
	})
}

func typedDeletes(ctx context.Context, client kubernetes.Interface, namespace string) error {
	maps := client.CoreV1().ConfigMaps(namespace)
	wrong := maps.Delete(ctx, "typed", metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions("another")})
	if err := expect(apierrors.IsConflict(wrong), "a wrong UID: %v", wrong); err != nil {
		return err
	}
	if err := maps.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "page"}); err != nil {
		return err
	}
	left, err := maps.List(ctx, metav1.ListOptions{LabelSelector: "page"})
	if err != nil {
		return err
	}
	foreground := metav1.DeletePropagationForeground
	if err := client.AppsV1().Deployments(namespace).Delete(ctx, "typed", metav1.DeleteOptions{PropagationPolicy: &foreground}); err != nil {
		return err
	}
	if err := expect(len(left.Items) == 0, "%d are left", len(left.Items)); err != nil {
		return err
	}
	return eventually(ctx, "foreground deletion", func() error {
		_, err := client.AppsV1().Deployments(namespace).Get(ctx, "typed", metav1.GetOptions{})
		return expect(apierrors.IsNotFound(err), "the deployment: %v", err)
	})
}
