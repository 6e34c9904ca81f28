// Types and reasons of the conditions that the specification names, for controllers to write and clients to look for.
// Where the carried releases differ the union is listed.

/** `{ Accepted: "Accepted", ... }`, so that a misspelt name does not compile. */
function constants<const Name extends string>(...names: Name[]): { readonly [N in Name]: N } {
  return Object.fromEntries(names.map((name) => [name, name])) as { readonly [N in Name]: N };
}

type ValueOf<T> = T[keyof T];

export const GatewayClassConditionType = constants("Accepted", "SupportedVersion");
export type GatewayClassConditionType = ValueOf<typeof GatewayClassConditionType>;

export const GatewayClassConditionReason = constants(
  "Accepted",
  "InvalidParameters",
  "Pending",
  "Unsupported",
  // Deprecated name of Pending.
  "Waiting",
  "SupportedVersion",
  "UnsupportedVersion",
);
export type GatewayClassConditionReason = ValueOf<typeof GatewayClassConditionReason>;

export const GatewayConditionType = constants(
  "Accepted",
  "Programmed",
  "ResolvedRefs",
  "InsecureFrontendValidationMode",
  // v1.4.0 experimental.
  "AttachedListenerSets",
  // Reserved, and Accepted's deprecated name.
  "Ready",
  "Scheduled",
);
export type GatewayConditionType = ValueOf<typeof GatewayConditionType>;

export const GatewayConditionReason = constants(
  "Accepted",
  "ListenersNotValid",
  "Pending",
  "UnsupportedAddress",
  "InvalidParameters",
  "Programmed",
  "Invalid",
  "NoResources",
  "AddressNotAssigned",
  "AddressNotUsable",
  "ResolvedRefs",
  "InvalidClientCertificateRef",
  "RefNotPermitted",
  "ListenersNotResolved",
  "ConfigurationChanged",
  "ListenerSetsAttached",
  "ListenerSetsNotAllowed",
  "NoListenerSetsAttached",
  "Ready",
  "ListenersNotReady",
  "Scheduled",
  "NotReconciled",
);
export type GatewayConditionReason = ValueOf<typeof GatewayConditionReason>;

export const ListenerConditionType = constants(
  "Accepted",
  "Programmed",
  "ResolvedRefs",
  "Conflicted",
  "OverlappingTLSConfig",
  // Reserved, and the deprecated opposite of Accepted.
  "Ready",
  "Detached",
);
export type ListenerConditionType = ValueOf<typeof ListenerConditionType>;

export const ListenerConditionReason = constants(
  "Accepted",
  "PortUnavailable",
  "UnsupportedProtocol",
  "UnsupportedValue",
  "NoValidCACertificate",
  "Programmed",
  "Invalid",
  "Pending",
  "ResolvedRefs",
  "InvalidCertificateRef",
  "InvalidRouteKinds",
  "RefNotPermitted",
  "InvalidCACertificateRef",
  "InvalidCACertificateKind",
  "HostnameConflict",
  "ProtocolConflict",
  "NoConflicts",
  "OverlappingHostnames",
  "OverlappingCertificates",
  // Listener sets only.
  "ListenerConflict",
  "TooManyListeners",
  "Ready",
  "Attached",
);
export type ListenerConditionReason = ValueOf<typeof ListenerConditionReason>;

export const ListenerSetConditionType = constants("Accepted", "Programmed");
export type ListenerSetConditionType = ValueOf<typeof ListenerSetConditionType>;

export const ListenerSetConditionReason = constants(
  "Accepted",
  "NotAllowed",
  "ParentNotAccepted",
  "ListenersNotValid",
  "Programmed",
  "Invalid",
  "Pending",
);
export type ListenerSetConditionReason = ValueOf<typeof ListenerSetConditionReason>;

export const RouteConditionType = constants("Accepted", "ResolvedRefs", "PartiallyInvalid");
export type RouteConditionType = ValueOf<typeof RouteConditionType>;

export const RouteConditionReason = constants(
  "Accepted",
  "NotAllowedByListeners",
  "NoMatchingListenerHostname",
  "NoMatchingParent",
  "UnsupportedValue",
  "Pending",
  "IncompatibleFilters",
  "ResolvedRefs",
  "RefNotPermitted",
  "InvalidKind",
  "BackendNotFound",
  "UnsupportedProtocol",
);
export type RouteConditionReason = ValueOf<typeof RouteConditionReason>;

export const PolicyConditionType = constants("Accepted", "ResolvedRefs");
export type PolicyConditionType = ValueOf<typeof PolicyConditionType>;

export const PolicyConditionReason = constants(
  "Accepted",
  "Conflicted",
  "Invalid",
  "TargetNotFound",
  // BackendTLSPolicy only.
  "NoValidCACertificate",
  "ResolvedRefs",
  "InvalidCACertificateRef",
  "InvalidKind",
);
export type PolicyConditionReason = ValueOf<typeof PolicyConditionReason>;
