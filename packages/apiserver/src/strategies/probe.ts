// Checks of probes and lifecycle hooks (pkg/apis/core/validation validateProbe, validateHandler).

import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import type { Container, Probe, ProbeHandler } from "@gatehouse/apimachinery/types/core-v1";
import { forbiddenField, invalidValue, nonNegative, required } from "../schema/field-cause.ts";
import { isPort, portNameFaults, portRule } from "./names.ts";

const numbers = [
  "initialDelaySeconds",
  "timeoutSeconds",
  "periodSeconds",
  "successThreshold",
  "failureThreshold",
] as const;

/** Causes for a probe that may be absent; `name` is its field in the container. */
export function probeCauses(probe: Probe | undefined, name: string, field: string): StatusCause[] {
  if (!probe) return [];
  const causes = handlerCauses(probe, field);
  for (const number of numbers) causes.push(...nonNegative(`${field}.${number}`, probe[number]));
  const grace = probe.terminationGracePeriodSeconds;
  if (grace !== undefined && name === "readinessProbe") {
    causes.push(invalidValue(`${field}.terminationGracePeriodSeconds`, grace, "must not be set for readinessProbes"));
  } else if (grace !== undefined && grace <= 0) {
    causes.push(invalidValue(`${field}.terminationGracePeriodSeconds`, grace, "must be greater than 0"));
  }
  if (name !== "readinessProbe" && probe.successThreshold !== undefined && probe.successThreshold !== 1) {
    causes.push(invalidValue(`${field}.successThreshold`, probe.successThreshold, "must be 1"));
  }
  return causes;
}

/** Causes for hooks that may be absent. */
export function lifecycleCauses(lifecycle: Container["lifecycle"], field: string): StatusCause[] {
  return (["postStart", "preStop"] as const).flatMap((name) => {
    const hook = lifecycle?.[name];
    return hook ? handlerCauses(hook, `${field}.${name}`) : [];
  });
}

function handlerCauses(handler: ProbeHandler & { sleep?: { seconds: number } }, field: string): StatusCause[] {
  const { exec, httpGet, tcpSocket, grpc } = handler;
  const present = (["exec", "httpGet", "tcpSocket", "grpc", "sleep"] as const).filter(
    (name) => handler[name] !== undefined,
  );
  if (present.length === 0) return [required(field, "must specify a handler type")];
  const causes = present
    .slice(1)
    .map((name) => forbiddenField(`${field}.${name}`, "may not specify more than 1 handler type"));
  if (exec && !exec.command?.length) causes.push(required(`${field}.exec.command`));
  if (httpGet) {
    if (httpGet.path === "") causes.push(required(`${field}.httpGet.path`));
    causes.push(...portCauses(httpGet.port, `${field}.httpGet.port`));
    for (const { name } of httpGet.httpHeaders ?? []) {
      if (/^[-A-Za-z0-9]+$/.test(name)) continue;
      const rule =
        "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')";
      causes.push(invalidValue(`${field}.httpGet.httpHeaders`, name, rule));
    }
  }
  if (tcpSocket) causes.push(...portCauses(tcpSocket.port, `${field}.tcpSocket.port`));
  if (grpc && !isPort(grpc.port)) causes.push(invalidValue(`${field}.grpc.port`, grpc.port, portRule));
  return causes;
}

/** Causes for a port that may be a number or a name. */
export function portCauses(port: number | string, field: string): StatusCause[] {
  if (typeof port === "number") return isPort(port) ? [] : [invalidValue(field, port, portRule)];
  return portNameFaults(port).map((fault) => invalidValue(field, port, fault));
}
