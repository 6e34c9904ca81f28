package main

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	appsapply "k8s.io/client-go/applyconfigurations/apps/v1"
	coreapply "k8s.io/client-go/applyconfigurations/core/v1"
	metaapply "k8s.io/client-go/applyconfigurations/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// applyConfigurations has two appliers of one Deployment: a conflict by name, force, extract, and a field that is let go.
func applyConfigurations(ctx context.Context, config *rest.Config, namespace string) error {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	deployments := client.AppsV1().Deployments(namespace)
	labels := map[string]string{"app": "applied"}
	wanted := func(env string) *appsapply.DeploymentApplyConfiguration {
		container := coreapply.Container().WithName("main").WithImage("traefik/whoami")
		if env != "" {
			container.WithEnv(coreapply.EnvVar().WithName("WHO").WithValue(env))
		}
		template := coreapply.PodTemplateSpec().WithLabels(labels).WithSpec(coreapply.PodSpec().WithContainers(container))
		selector := metaapply.LabelSelector().WithMatchLabels(labels)
		return appsapply.Deployment("applied", namespace).
			WithSpec(appsapply.DeploymentSpec().WithReplicas(0).WithSelector(selector).WithTemplate(template))
	}
	one := metav1.ApplyOptions{FieldManager: "one"}
	if _, err := deployments.Apply(ctx, wanted("one"), one); err != nil {
		return err
	}
	two := metav1.ApplyOptions{FieldManager: "two"}
	_, conflict := deployments.Apply(ctx, wanted("two"), two)
	if err := expect(apierrors.IsConflict(conflict) && apierrors.HasStatusCause(conflict, metav1.CauseTypeFieldManagerConflict), "another applier: %v", conflict); err != nil {
		return err
	}
	two.Force = true
	forced, err := deployments.Apply(ctx, wanted("two"), two)
	if err != nil {
		return err
	}
	extracted, err := appsapply.ExtractDeployment(forced, "two")
	if err != nil {
		return err
	}
	env := forced.Spec.Template.Spec.Containers[0].Env
	if err := first(
		expect(len(env) == 1 && env[0] == corev1.EnvVar{Name: "WHO", Value: "two"}, "env is %v", env),
		expect(*extracted.Spec.Template.Spec.Containers[0].Env[0].Value == "two", "two does not own what it has set"),
	); err != nil {
		return err
	}
	let, err := deployments.Apply(ctx, wanted(""), two)
	if err != nil {
		return err
	}
	if env := let.Spec.Template.Spec.Containers[0].Env; len(env) != 1 || env[0].Value != "" {
		// `one` still owns the item, not its value.
		return expect(false, "env is %v", env)
	}
	status := appsapply.Deployment("applied", namespace).WithStatus(appsapply.DeploymentStatus().
		WithConditions(appsapply.DeploymentCondition().WithType("Mine").WithStatus("True")))
	withStatus, err := deployments.ApplyStatus(ctx, status, metav1.ApplyOptions{FieldManager: "status"})
	if err != nil {
		return err
	}
	return expect(withStatus.Generation == let.Generation, "applying a status moved the generation")
}
