// Write rules of Endpoints (pkg/apis/core/validation ValidateEndpoints). Unlike Kubernetes, loopback addresses are accepted: here they
// are the pods' addresses.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import type { WriteStrategy } from "../resource-definition.ts";
import { invalidValue, required } from "../schema/field-cause.ts";
import {
  addressFaults,
  isPort,
  labelFaults,
  nameCauses,
  portRule,
  qualifiedNameFaults,
  subdomainFaults,
} from "./names.ts";

interface Address {
  ip?: string;
  hostname?: string;
  nodeName?: string;
}

interface Port {
  name?: string;
  port?: number;
  appProtocol?: string;
}

interface Endpoints extends KubeObject {
  subsets?: { addresses?: Address[]; notReadyAddresses?: Address[]; ports?: Port[] }[];
}

export const endpointsStrategy: WriteStrategy = {
  validate: (object) =>
    ((object as Endpoints).subsets ?? []).flatMap(({ addresses = [], notReadyAddresses = [], ports = [] }, index) => {
      const field = `subsets[${index}]`;
      if (addresses.length + notReadyAddresses.length === 0) {
        return [required(field, "must specify `addresses` or `notReadyAddresses`")];
      }
      return [
        ...addresses.flatMap((address, at) => addressCauses(address, `${field}.addresses[${at}]`)),
        ...notReadyAddresses.flatMap((address, at) => addressCauses(address, `${field}.notReadyAddresses[${at}]`)),
        ...ports.flatMap((port, at) => portCauses(port, ports.length > 1, `${field}.ports[${at}]`)),
      ];
    }),
};

function addressCauses({ ip = "", hostname, nodeName }: Address, field: string): StatusCause[] {
  return [
    ...nameCauses(`${field}.ip`, ip, addressFaults),
    ...(hostname ? nameCauses(`${field}.hostname`, hostname, labelFaults) : []),
    ...(nodeName === undefined ? [] : nameCauses(`${field}.nodeName`, nodeName, subdomainFaults)),
  ];
}

function portCauses({ name, port, appProtocol }: Port, needsName: boolean, field: string): StatusCause[] {
  const causes: StatusCause[] = [];
  if (name) causes.push(...nameCauses(`${field}.name`, name, labelFaults));
  else if (needsName) causes.push(required(`${field}.name`));
  if (!isPort(port)) causes.push(invalidValue(`${field}.port`, port, portRule));
  if (appProtocol) causes.push(...nameCauses(`${field}.appProtocol`, appProtocol, qualifiedNameFaults));
  return causes;
}
