// Package conformance runs the official suite of Gateway API v1.4.0 as it comes, steered by its own flags.
package conformance

import (
	"flag"
	"testing"

	v1beta1 "sigs.k8s.io/gateway-api/apis/v1beta1"
	"sigs.k8s.io/gateway-api/conformance"
)

// Later versions of the suite have these flags themselves.
var (
	usable   = flag.String("usable-address", "", "IP address that a Gateway may ask for")
	unusable = flag.String("unusable-address", "", "IP address that a Gateway may not ask for")
)

func TestConformance(t *testing.T) {
	options := conformance.DefaultOptions(t)
	options.UsableNetworkAddresses = addresses(*usable)
	options.UnusableNetworkAddresses = addresses(*unusable)
	conformance.RunConformanceWithOptions(t, options)
}

func addresses(value string) []v1beta1.GatewaySpecAddress {
	if value == "" {
		return nil
	}
	ip := v1beta1.IPAddressType
	return []v1beta1.GatewaySpecAddress{{Type: &ip, Value: value}}
}
