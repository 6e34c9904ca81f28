// Programs as people write them against Kubernetes with its Go libraries, one per argument: `clients NAME NAMESPACE` does what
// the client of that name does on the cluster of KUBECONFIG, in a namespace that exists. Exit code 0, or 1 with one line.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
)

type program func(ctx context.Context, config *rest.Config, namespace string) error

var programs = map[string]program{
	"typed":           typed,
	"dynamic":         dynamicObjects,
	"informer":        informer,
	"expired-watch":   expiredWatch,
	"leader-election": leaderElection,
	"apply":           applyConfigurations,
	"discovery":       discoveryAndMapper,
	"reviews":         reviews,
	"events":          eventRecorders,
	"manager":         manager,
	"envtest":         installDefinitions,
	"gateway-api":     gatewayAPI,
	"latency":         watchLatency,
}

func main() {
	klog.LogToStderr(false)
	ctrl.SetLogger(klog.Background())
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 || programs[args[0]] == nil {
		return fmt.Errorf("usage: clients NAME NAMESPACE")
	}
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		return err
	}
	config.QPS = -1
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	return programs[args[0]](ctx, config, args[1])
}
