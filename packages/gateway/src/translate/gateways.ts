// Gateways of our classes: their address, their listeners and those of their listener sets, and what their own conditions say.

import { objectKey } from "@gatehouse/apimachinery/meta";
import type { Gateway, GatewayStatusAddress } from "@gatehouse/gateway-api/gateway";
import type { Listener } from "@gatehouse/gateway-api/listener";
import { gatewayGroup } from "../gateway-resources.ts";
import { type CertificatePair, resolveCertificate } from "./certificates.ts";
import { type DesiredCondition, fails, holds } from "./conditions.ts";
import { type EntryPointUses, usesOfEntryPoints } from "./entry-point-uses.ts";
import { allowsInsecureFallback } from "./frontend-tls.ts";
import type { ProcessedGatewayClass } from "./gateway-classes.ts";
import type { ObjectIndex } from "./gateway-objects.ts";
import { findConflicts, overlappingListener } from "./listener-conflicts.ts";
import {
  type AnyListenerSet,
  claimListenerSet,
  groupListenerSets,
  type ListenerSetClaim,
  type ProcessedListenerSet,
  processListenerSet,
} from "./listener-sets.ts";
import { canServe, describeInvalid, isValid } from "./listener-validity.ts";
import { type ListenerContext, type ListenerOwner, type ProcessedListener, processListener } from "./listeners.ts";
import { compareAge } from "./order.ts";
import { listOf } from "./problems.ts";
import type { AddressAssignment, TranslateOptions } from "./translate-options.ts";

export interface ProcessedGateway {
  gateway: Gateway;
  owner: ListenerOwner;
  /** The addresses that are this Gateway's alone. */
  hosts: readonly string[];
  addresses: GatewayStatusAddress[];
  /** Its own. */
  listeners: ProcessedListener[];
  /** In their precedence, refused ones included. */
  listenerSets: ProcessedListenerSet[];
  /** Shown to backends that are spoken to over TLS. */
  clientCertificate?: CertificatePair;
  conditions: DesiredCondition[];
}

/** A Gateway with what belongs to it, before anything is judged. */
interface Candidate {
  gateway: Gateway;
  gatewayClass: ProcessedGatewayClass;
  sets: ListenerSetClaim[];
  assignment: AddressAssignment;
}

export interface GatewaySurroundings {
  /** Of ours, by name. */
  classes: ReadonlyMap<string, ProcessedGatewayClass>;
  addressOf: (gateway: Gateway) => AddressAssignment;
}

/** Gateways of our classes, the oldest first. */
export function processGateways(
  objects: { gateways: Iterable<Gateway>; listenerSets: Iterable<AnyListenerSet> },
  { classes, addressOf }: GatewaySurroundings,
  index: ObjectIndex,
  options: TranslateOptions,
): ProcessedGateway[] {
  const sets = groupListenerSets(objects.listenerSets);
  const candidates = [...objects.gateways].sort(compareAge).flatMap((gateway): Candidate[] => {
    const gatewayClass = classes.get(gateway.spec.gatewayClassName);
    if (!gatewayClass) return [];
    const own = (sets.get(objectKey(gateway)) ?? []).map((set) => claimListenerSet(set, gateway, index));
    return [{ gateway, gatewayClass, sets: own, assignment: addressOf(gateway) }];
  });
  const uses = usesOfEntryPoints(
    candidates.map((each) => ({ gateway: each.gateway, listeners: listenersOf(each).flat() })),
  );
  return candidates.map((candidate) => processGateway(candidate, uses, index, options));
}

/** The Gateway's listeners, then those of each set it takes. */
const listenersOf = ({ gateway, sets }: Candidate): Listener[][] => [
  gateway.spec.listeners,
  ...sets.filter(({ refusal }) => refusal === undefined).map(({ listeners }) => listeners),
];

function processGateway(
  candidate: Candidate,
  entryPointUses: EntryPointUses,
  index: ObjectIndex,
  options: TranslateOptions,
): ProcessedGateway {
  const { gateway, gatewayClass, assignment } = candidate;
  const rejection = rejectionOf(gateway, assignment, gatewayClass);
  const blocked = rejection?.message ?? assignment.problem?.message;
  const hosts = blocked === undefined ? assignment.hosts : [];
  const shared = { gateway, hosts, entryPointUses, index, ...(blocked === undefined ? {} : { blocked }) };
  const process = processorOf(candidate, shared, options);
  const { name, namespace = "" } = gateway.metadata;
  const owner: ListenerOwner = { group: gatewayGroup, kind: "Gateway", namespace, name };
  const listeners = process(gateway.spec.listeners, owner);
  const accepted = rejection ?? acceptance(listeners);
  const parentProblem = accepted.status === "False" ? accepted.message : undefined;
  const sets = candidate.sets.map((claim) => ({
    claim,
    listeners: claim.refusal === undefined ? process(claim.listeners, claim.owner, parentProblem) : [],
  }));
  const serving = [...listeners, ...sets.flatMap((set) => set.listeners)];
  const programmed = programmedOf(serving, assignment, rejection);
  const listenerSets = sets.map((set) => processListenerSet(set.claim, set.listeners, { accepted, programmed }));
  const certificate = clientCertificateOf(gateway, index);
  return {
    gateway,
    owner,
    hosts,
    addresses: blocked === undefined ? assignment.addresses : [],
    listeners,
    listenerSets,
    ...(certificate && !("reason" in certificate) ? { clientCertificate: certificate } : {}),
    conditions: [
      accepted,
      programmed,
      ...resolvedRefs(gateway, certificate, listeners, options),
      ...furtherConditions(gateway, listenerSets, options),
    ],
  };
}

/** How listeners of this Gateway are processed, given all of them. */
function processorOf(
  candidate: Candidate,
  shared: Omit<ListenerContext, "owner" | "conflict" | "overlapping">,
  options: TranslateOptions,
): (listeners: readonly Listener[], owner: ListenerOwner, blocked?: string) => ProcessedListener[] {
  const merged = listenersOf(candidate);
  const conflicts = findConflicts(merged);
  const distinct = merged.flat().filter((listener) => !conflicts.has(listener));
  return (listeners, owner, blocked) =>
    listeners.map((listener) => {
      const conflict = conflicts.get(listener);
      const overlapping = conflict ? undefined : overlappingListener(listener, distinct);
      const context = {
        ...shared,
        ...(blocked === undefined ? {} : { blocked }),
        owner,
        ...(conflict ? { conflict } : {}),
        ...(overlapping ? { overlapping } : {}),
      };
      return processListener(listener, context, options);
    });
}

/** Why the Gateway as a whole is refused, whatever its listeners are. */
function rejectionOf(
  { spec }: Gateway,
  { problem }: AddressAssignment,
  { gatewayClass, accepted }: ProcessedGatewayClass,
): DesiredCondition | undefined {
  if (accepted.status === "False") {
    const message = `GatewayClass "${gatewayClass.metadata.name}" is not accepted: ${accepted.message}`;
    return fails("Accepted", accepted.reason, message);
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
  const message = describeInvalid(invalid);
  return listeners.some(canServe)
    ? holds("Accepted", "ListenersNotValid", message)
    : fails("Accepted", "ListenersNotValid", message);
}

function programmedOf(
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

/** The certificate for backends (GatewayBackendTLS.clientCertificateRef). */
function clientCertificateOf(gateway: Gateway, index: ObjectIndex): CertificatePair | DesiredCondition | undefined {
  const ref = gateway.spec.tls?.backend?.clientCertificateRef;
  if (!ref) return undefined;
  const owner = { kind: "Gateway", namespace: gateway.metadata.namespace ?? "" };
  const pair = resolveCertificate(ref, "spec.tls.backend.clientCertificateRef", owner, index);
  if (!("what" in pair)) return pair;
  const reason = pair.what === "grant" ? "RefNotPermitted" : "InvalidClientCertificateRef";
  return fails("ResolvedRefs", reason, pair.message);
}

/** A condition of Gateways since v1.6; before, where the Gateway itself refers to something. */
function resolvedRefs(
  { spec }: Gateway,
  certificate: CertificatePair | DesiredCondition | undefined,
  listeners: readonly ProcessedListener[],
  { api }: TranslateOptions,
): DesiredCondition[] {
  if (api.release === "v1.4.0" && !spec.tls?.backend?.clientCertificateRef) return [];
  if (certificate && "reason" in certificate) return [certificate];
  const unresolved = listeners.filter(({ conditions }) =>
    conditions.some(({ type, status }) => type === "ResolvedRefs" && status === "False"),
  );
  if (unresolved.length === 0) return [holds("ResolvedRefs", "ResolvedRefs", "All references are resolved")];
  const names = listOf(unresolved.map(({ spec: { name } }) => `"${name}"`));
  return [fails("ResolvedRefs", "ListenersNotResolved", `listeners with unresolved references: ${names}`)];
}

function furtherConditions(
  gateway: Gateway,
  sets: readonly ProcessedListenerSet[],
  { api }: TranslateOptions,
): DesiredCondition[] {
  const conditions: DesiredCondition[] = [];
  if (allowsInsecureFallback(gateway)) {
    const message = "clients without a valid certificate are served: set the validation mode to AllowValidOnly";
    conditions.push(holds("InsecureFrontendValidationMode", "ConfigurationChanged", message));
  }
  if (gateway.spec.defaultScope === "All") {
    const message = "routes with useDefaultGateways: All attach to this Gateway without naming it";
    conditions.push(holds("DefaultGateway", "DefaultScope", message));
  }
  if (api.kinds.has("XListenerSet")) conditions.push(attachedListenerSets(sets));
  return conditions;
}

/** v1.4.0, experimental channel; later releases have a number in the status. */
function attachedListenerSets(sets: readonly ProcessedListenerSet[]): DesiredCondition {
  const attached = sets.filter(({ accepted }) => accepted).length;
  if (attached > 0) return holds("AttachedListenerSets", "ListenerSetsAttached", `listener sets attached: ${attached}`);
  const refused = sets.some(({ conditions }) => conditions[0]?.reason === "NotAllowed");
  return refused
    ? fails(
        "AttachedListenerSets",
        "ListenerSetsNotAllowed",
        "listener sets name this Gateway, but it allows none of them",
      )
    : fails("AttachedListenerSets", "NoListenerSetsAttached", "no listener set is attached");
}
