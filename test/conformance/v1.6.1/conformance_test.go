// Package conformance runs the official suite of Gateway API v1.6.1 as it comes, steered by its own flags.
package conformance

import (
	"testing"

	"sigs.k8s.io/gateway-api/conformance"
	"sigs.k8s.io/gateway-api/conformance/tests"
)

func TestConformance(t *testing.T) {
	// The suite takes a test that runs in parallel for passed as soon as it has begun, and writes its report before any of
	// them ends. One after another, the report says what came of them. (Later versions of the suite have a flag for this.)
	for index := range tests.ConformanceTests {
		tests.ConformanceTests[index].Parallel = false
	}
	conformance.RunConformance(t)
}
