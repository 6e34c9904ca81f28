package main

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// leaderElection has two candidates for one Lease: the second leads only after the first has let go.
func leaderElection(ctx context.Context, config *rest.Config, namespace string) error {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	leads := make(chan string, 2)
	candidate := func(ctx context.Context, identity string) {
		leaderelection.RunOrDie(ctx, leaderelection.LeaderElectionConfig{
			Lock: &resourcelock.LeaseLock{
				LeaseMeta:  metav1.ObjectMeta{Name: "leader", Namespace: namespace},
				Client:     client.CoordinationV1(),
				LockConfig: resourcelock.ResourceLockConfig{Identity: identity},
			},
			ReleaseOnCancel: true,
			LeaseDuration:   4 * time.Second,
			RenewDeadline:   3 * time.Second,
			RetryPeriod:     200 * time.Millisecond,
			Callbacks: leaderelection.LeaderCallbacks{
				OnStartedLeading: func(context.Context) { leads <- identity },
				OnStoppedLeading: func() {},
			},
		})
	}
	one, stopOne := context.WithCancel(ctx)
	defer stopOne()
	go candidate(one, "one")
	if err := next(ctx, leads, "one"); err != nil {
		return err
	}
	two, stopTwo := context.WithCancel(ctx)
	defer stopTwo()
	go candidate(two, "two")
	select {
	case other := <-leads:
		return fmt.Errorf("%s leads while one does", other)
	case <-time.After(time.Second):
	}
	stopOne()
	if err := next(ctx, leads, "two"); err != nil {
		return err
	}
	lease, err := client.CoordinationV1().Leases(namespace).Get(ctx, "leader", metav1.GetOptions{})
	if err != nil {
		return err
	}
	spec := lease.Spec
	return expect(*spec.HolderIdentity == "two" && *spec.LeaseTransitions >= 1 && spec.RenewTime != nil, "the lease is %v", spec)
}

func next(ctx context.Context, leads <-chan string, want string) error {
	select {
	case leader := <-leads:
		return expect(leader == want, "%s leads", leader)
	case <-ctx.Done():
		return fmt.Errorf("nobody leads")
	}
}
