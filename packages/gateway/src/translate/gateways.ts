// Gateways of our classes: their address, their listeners, and what their own conditions say.

import type { Gateway, GatewayStatusAddress } from "@gatehouse/gateway-api/gateway";
import { type DesiredCondition, fails, holds } from "./conditions.ts";
import type { ProcessedGatewayClass } from "./gateway-classes.ts";
import type { GatewayObjects, ObjectIndex } from "./gateway-objects.ts";
import { type ListenerContext, type ProcessedListener, processListener, supportedProtocols } from "./listeners.ts";
import { compareAge } from "./order.ts";
import { listOf } from "./problems.ts";
import type { AddressAssignment, TranslateOptions } from "./translate-options.ts";

export interface ProcessedGateway {
  gateway: Gateway;
  /** The addresses that are this Gateway's alone. */
  hosts: readonly string[];
  addresses: GatewayStatusAddress[];
  listeners: ProcessedListener[];
  conditions: DesiredCondition[];
}

/** Gateways of `classes`, the oldest first. */
export function processGateways(
  objects: GatewayObjects,
  classes: ReadonlyMap<string, ProcessedGatewayClass>,
  index: ObjectIndex,
  options: TranslateOptions,
): ProcessedGateway[] {
  const own = [...objects.gateways].filter(({ spec }) => classes.has(spec.gatewayClassName)).sort(compareAge);
  const portProtocols = protocolsOfPorts(own);
  return own.flatMap((gateway) => {
    const gatewayClass = classes.get(gateway.spec.gatewayClassName);
    return gatewayClass ? [processGateway(gateway, gatewayClass, { portProtocols, index }, options)] : [];
  });
}

/** An entrypoint speaks one protocol: that of the first listener of its port, the oldest Gateway's. */
function protocolsOfPorts(byAge: readonly Gateway[]): Map<number, string> {
  const protocols = new Map<number, string>();
  for (const { port, protocol } of byAge.flatMap(({ spec }) => spec.listeners)) {
    if (supportedProtocols.includes(protocol) && !protocols.has(port)) protocols.set(port, protocol);
  }
  return protocols;
}

function processGateway(
  gateway: Gateway,
  { gatewayClass, accepted: classAccepted }: ProcessedGatewayClass,
  shared: Pick<ListenerContext, "portProtocols" | "index">,
  options: TranslateOptions,
): ProcessedGateway {
  const assignment = options.addressFor(gateway);
  const rejection = rejectionOf(gateway, assignment, gatewayClass.metadata.name, classAccepted);
  const unusable = assignment.problem;
  const blocked = rejection?.message ?? unusable?.message;
  const hosts = blocked === undefined ? assignment.hosts : [];
  const context: ListenerContext = { ...shared, gateway, hosts, ...(blocked === undefined ? {} : { blocked }) };
  const listeners = gateway.spec.listeners.map((listener) => processListener(listener, context, options));
  return {
    gateway,
    hosts,
    addresses: blocked === undefined ? assignment.addresses : [],
    listeners,
    conditions: [rejection ?? acceptance(listeners), programmed(listeners, assignment, rejection)],
  };
}

/** Why the Gateway as a whole is refused, whatever its listeners are. */
function rejectionOf(
  { spec }: Gateway,
  { problem }: AddressAssignment,
  className: string,
  classAccepted: DesiredCondition,
): DesiredCondition | undefined {
  if (classAccepted.status === "False") {
    const message = `GatewayClass "${className}" is not accepted: ${classAccepted.message}`;
    return fails("Accepted", classAccepted.reason, message);
  }
  const parameters = spec.infrastructure?.parametersRef;
  if (parameters) {
    const what = `spec.infrastructure.parametersRef names ${parameters.kind} "${parameters.name}"`;
    return fails("Accepted", "InvalidParameters", `${what}, but this controller has no parameters: remove it`);
  }
  return problem?.reason === "UnsupportedAddress" ? fails("Accepted", problem.reason, problem.message) : undefined;
}

function acceptance(listeners: readonly ProcessedListener[]): DesiredCondition {
  const invalid = listeners.filter((listener) => !isValid(listener));
  if (invalid.length === 0) return holds("Accepted", "Accepted", "The Gateway is served by this controller");
  const message = `listeners that are not valid: ${invalid.map(describe).join("; ")}`;
  return listeners.some(canServe)
    ? holds("Accepted", "ListenersNotValid", message)
    : fails("Accepted", "ListenersNotValid", message);
}

/** A listener of which only a part is invalid can serve the rest. */
function canServe({ conditions, supportedKinds, usable }: ProcessedListener): boolean {
  return (
    supportedKinds.length > 0 &&
    usable &&
    conditions.some(({ type, status }) => type === "Accepted" && status === "True")
  );
}

/** By the listener's own merits: an address that cannot be had is not its fault. */
function isValid({ conditions }: ProcessedListener): boolean {
  return conditions.every(
    ({ type, status }) => type === "Programmed" || (status === "True") === (type !== "Conflicted"),
  );
}

function describe({ spec, conditions }: ProcessedListener): string {
  const wrong = conditions.find(
    ({ type, status }) => status === "False" && type !== "Conflicted" && type !== "Programmed",
  );
  return `"${spec.name}": ${wrong?.message ?? "not valid"}`;
}

function programmed(
  listeners: readonly ProcessedListener[],
  { addresses, problem }: AddressAssignment,
  rejection: DesiredCondition | undefined,
): DesiredCondition {
  if (rejection) return fails("Programmed", "Invalid", rejection.message);
  if (problem) return fails("Programmed", problem.reason, problem.message);
  if (!listeners.some((listener) => listener.programmed)) {
    return fails("Programmed", "Invalid", "no listener can be served: see the conditions of the listeners");
  }
  return holds("Programmed", "Programmed", `Listening on ${listOf(addresses.map(({ value }) => value ?? ""))}`);
}
