// Write rules of EndpointSlices. Unlike Kubernetes, loopback addresses are accepted: here they are the pods' addresses.

import { isIPv4, isIPv6 } from "node:net";
import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import type { EndpointSlice } from "@gatehouse/apimachinery/types/discovery-v1";
import type { WriteStrategy } from "../resource-definition.ts";
import { duplicate, invalidValue, required, tooMany } from "../schema/field-cause.ts";

const maxEndpoints = 1000;
const maxAddresses = 100;

export const endpointSliceStrategy: WriteStrategy = {
  validate: (object, old) => {
    const slice = object as EndpointSlice;
    const causes = [...addressCauses(slice), ...portCauses(slice)];
    if (old && old.addressType !== slice.addressType)
      causes.push(invalidValue("addressType", slice.addressType, "field is immutable"));
    return causes;
  },
};

function addressCauses({ endpoints, addressType }: EndpointSlice): StatusCause[] {
  if (endpoints.length > maxEndpoints) return [tooMany("endpoints", endpoints.length, maxEndpoints)];
  const causes: StatusCause[] = [];
  for (const [index, { addresses }] of endpoints.entries()) {
    const field = `endpoints[${index}].addresses`;
    if (addresses.length === 0) causes.push(required(field, "must contain at least 1 address"));
    if (addresses.length > maxAddresses) causes.push(tooMany(field, addresses.length, maxAddresses));
    for (const [at, address] of addresses.entries()) {
      if (addressType === "IPv4" && !isIPv4(address))
        causes.push(invalidValue(`${field}[${at}]`, address, "must be an IPv4 address"));
      if (addressType === "IPv6" && !isIPv6(address))
        causes.push(invalidValue(`${field}[${at}]`, address, "must be an IPv6 address"));
    }
  }
  return causes;
}

function portCauses({ ports = [] }: EndpointSlice): StatusCause[] {
  const names = new Set<string>();
  const causes: StatusCause[] = [];
  for (const [index, { name = "" }] of ports.entries()) {
    if (names.has(name)) causes.push(duplicate(`ports[${index}].name`, name));
    names.add(name);
  }
  return causes;
}
