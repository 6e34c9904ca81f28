// Write rules of Ingresses (pkg/apis/networking/validation): stored for the clients that make them, and for an Ingress
// controller that somebody installs.

import { isIP } from "node:net";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import type { WriteStrategy } from "../resource-definition.ts";
import { invalidValue, notSupported, required } from "../schema/field-cause.ts";
import { isPort, labelFaults, nameCauses, portNameFaults, portRule, subdomainFaults } from "./names.ts";

interface Backend {
  service?: { name?: string; port?: { name?: string; number?: number } };
  resource?: object;
}

interface Path {
  path?: string;
  pathType?: string;
  backend?: Backend;
}

interface Ingress extends KubeObject {
  spec?: {
    ingressClassName?: string;
    defaultBackend?: Backend;
    rules?: { host?: string; http?: { paths?: Path[] } }[];
    tls?: { hosts?: string[]; secretName?: string }[];
  };
}

const wildcardRule =
  "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

export const ingressStrategy: WriteStrategy = {
  validate: (object) => {
    const { defaultBackend, rules = [], ingressClassName, tls = [] } = (object as Ingress).spec ?? {};
    if (!defaultBackend && rules.length === 0) {
      return [invalidValue("spec", {}, "either `defaultBackend` or `rules` must be specified")];
    }
    const causes = defaultBackend ? backendCauses(defaultBackend, "spec.defaultBackend") : [];
    if (ingressClassName !== undefined) {
      causes.push(...nameCauses("spec.ingressClassName", ingressClassName, subdomainFaults));
    }
    for (const [index, { host, http }] of rules.entries()) {
      const field = `spec.rules[${index}]`;
      causes.push(...hostCauses(host ?? "", `${field}.host`));
      if (http && !http.paths?.length) causes.push(required(`${field}.http.paths`));
      for (const [at, path] of (http?.paths ?? []).entries()) {
        causes.push(...pathCauses(path, `${field}.http.paths[${at}]`));
      }
    }
    for (const [index, { hosts = [], secretName }] of tls.entries()) {
      const field = `spec.tls[${index}]`;
      hosts.forEach((host, at) => causes.push(...dnsHostCauses(host, `${field}.hosts[${at}]`)));
      if (secretName) causes.push(...nameCauses(`${field}.secretName`, secretName, subdomainFaults));
    }
    return causes;
  },
  warnings: () => [
    "Ingresses are stored but not served by the built-in gateway: use the Gateway API, or install an Ingress controller " +
      "(the real Traefik can be one: gatehouse up --gateway traefik)",
  ],
};

function hostCauses(host: string, field: string): StatusCause[] {
  if (host === "") return [];
  if (isIP(host) !== 0) return [invalidValue(field, host, "must be a DNS name, not an IP address")];
  return dnsHostCauses(host, field);
}

function dnsHostCauses(host: string, field: string): StatusCause[] {
  if (!host.includes("*")) return nameCauses(field, host, subdomainFaults);
  const rest = host.startsWith("*.") ? host.slice(2) : "";
  return subdomainFaults(rest).length === 0 ? [] : [invalidValue(field, host, wildcardRule)];
}

function pathCauses({ path = "", pathType, backend }: Path, field: string): StatusCause[] {
  const causes = backend ? backendCauses(backend, `${field}.backend`) : [];
  if (!pathType) return [required(`${field}.pathType`, "pathType must be specified"), ...causes];
  const types = ["Exact", "ImplementationSpecific", "Prefix"];
  if (!types.includes(pathType)) return [notSupported(`${field}.pathType`, pathType, types), ...causes];
  if (pathType === "ImplementationSpecific" ? path === "" || path.startsWith("/") : path.startsWith("/")) {
    const bad =
      pathType === "ImplementationSpecific"
        ? undefined
        : ["//", "/./", "/../", "%2f", "%2F"].find((part) => path.includes(part));
    return bad ? [invalidValue(`${field}.path`, path, `must not contain '${bad}'`), ...causes] : causes;
  }
  return [invalidValue(`${field}.path`, path, "must be an absolute path"), ...causes];
}

function backendCauses({ service, resource }: Backend, field: string): StatusCause[] {
  if (resource && service) {
    return [invalidValue(field, "", "cannot set both resource and service backends")];
  }
  if (resource) return [];
  if (!service) return [required(field, "must specify a service or resource backend")];
  const causes: StatusCause[] = [];
  if (!service.name) causes.push(required(`${field}.service.name`));
  else causes.push(...nameCauses(`${field}.service.name`, service.name, labelFaults));
  const { name, number } = service.port ?? {};
  if (name && number) {
    causes.push(invalidValue(field, "", "cannot set both port name & port number"));
  } else if (name) causes.push(...nameCauses(`${field}.service.port.name`, name, portNameFaults));
  else if (number === undefined || number === 0) {
    causes.push(required(field, "port name or number is required"));
  } else if (!isPort(number)) causes.push(invalidValue(`${field}.service.port.number`, number, portRule));
  return causes;
}
