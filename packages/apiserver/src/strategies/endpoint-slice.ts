// Write rules of EndpointSlices. Unlike Kubernetes, loopback addresses are accepted: here they are the pods' addresses.

import { isIPv4, isIPv6 } from "node:net";
import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import type { EndpointSlice } from "@gatehouse/apimachinery/types/discovery-v1";
import type { WriteStrategy } from "../resource-definition.ts";
import { labelFaults, labelValueFaults, nameCauses, qualifiedNameFaults, subdomainFaults } from "./names.ts";
import { duplicate, invalidValue, required, tooMany } from "../schema/field-cause.ts";

const maxEndpoints = 1000;
const maxAddresses = 100;

export const endpointSliceStrategy: WriteStrategy = {
  validate: (object, old) => {
    const slice = object as EndpointSlice;
    const causes = [...addressCauses(slice), ...endpointCauses(slice), ...portCauses(slice)];
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

function endpointCauses({ endpoints }: EndpointSlice): StatusCause[] {
  return endpoints.flatMap(({ hostname, nodeName, hints }, index) => {
    const field = `endpoints[${index}]`;
    const zones = hints?.forZones ?? [];
    return [
      ...(nodeName === undefined ? [] : nameCauses(`${field}.nodeName`, nodeName, subdomainFaults)),
      ...(hostname === undefined ? [] : nameCauses(`${field}.hostname`, hostname, labelFaults)),
      ...zones.flatMap(({ name }, at) => nameCauses(`${field}.hints.forZones[${at}].name`, name, labelValueFaults)),
    ];
  });
}

function portCauses({ ports = [] }: EndpointSlice): StatusCause[] {
  const names = new Set<string>();
  const causes: StatusCause[] = [];
  for (const [index, { name = "", appProtocol }] of ports.entries()) {
    const field = `ports[${index}]`;
    if (name.includes(".")) causes.push(invalidValue(`${field}.name`, name, "must not contain dots"));
    else if (name) causes.push(...nameCauses(`${field}.name`, name, labelFaults));
    if (names.has(name)) causes.push(duplicate(`${field}.name`, name));
    names.add(name);
    if (appProtocol) causes.push(...nameCauses(`${field}.appProtocol`, appProtocol, qualifiedNameFaults));
  }
  return causes;
}
