// Types and reasons of the conditions that the specification names: a misspelt one does not compile. Where the carried
// releases differ the union is listed.

export type GatewayClassConditionType = "Accepted" | "SupportedVersion";

export type GatewayClassConditionReason =
  | "Accepted"
  | "InvalidParameters"
  | "Pending"
  | "Unsupported"
  // Deprecated name of Pending.
  | "Waiting"
  | "SupportedVersion"
  | "UnsupportedVersion";

export type GatewayConditionType =
  | "Accepted"
  | "Programmed"
  | "ResolvedRefs"
  | "InsecureFrontendValidationMode"
  // v1.4.0 experimental.
  | "AttachedListenerSets"
  // Experimental (GEP-3793).
  | "DefaultGateway"
  // Reserved, and Accepted's deprecated name.
  | "Ready"
  | "Scheduled";

export type GatewayConditionReason =
  | "Accepted"
  | "ListenersNotValid"
  | "Pending"
  | "UnsupportedAddress"
  | "InvalidParameters"
  | "Programmed"
  | "Invalid"
  | "NoResources"
  | "AddressNotAssigned"
  | "AddressNotUsable"
  | "ResolvedRefs"
  | "InvalidClientCertificateRef"
  | "RefNotPermitted"
  | "ListenersNotResolved"
  | "ConfigurationChanged"
  | "ListenerSetsAttached"
  | "ListenerSetsNotAllowed"
  | "NoListenerSetsAttached"
  | "Ready"
  | "ListenersNotReady"
  | "Scheduled"
  | "NotReconciled";

export type ListenerConditionType =
  | "Accepted"
  | "Programmed"
  | "ResolvedRefs"
  | "Conflicted"
  | "OverlappingTLSConfig"
  // Reserved, and the deprecated opposite of Accepted.
  | "Ready"
  | "Detached";

export type ListenerConditionReason =
  | "Accepted"
  | "PortUnavailable"
  | "UnsupportedProtocol"
  | "UnsupportedValue"
  | "NoValidCACertificate"
  | "Programmed"
  | "Invalid"
  | "Pending"
  | "ResolvedRefs"
  | "InvalidCertificateRef"
  | "InvalidRouteKinds"
  | "RefNotPermitted"
  | "InvalidCACertificateRef"
  | "InvalidCACertificateKind"
  | "HostnameConflict"
  | "ProtocolConflict"
  | "NoConflicts"
  | "OverlappingHostnames"
  | "OverlappingCertificates"
  // Listener sets only, the last of v1.4.0.
  | "ListenerConflict"
  | "TooManyListeners"
  | "UnsupportedPort"
  | "Ready"
  | "Attached";

export type ListenerSetConditionType = "Accepted" | "Programmed";

export type ListenerSetConditionReason =
  | "Accepted"
  | "NotAllowed"
  | "ParentNotAccepted"
  | "ParentNotProgrammed"
  | "ListenersNotValid"
  | "Programmed"
  | "Invalid"
  | "Pending";

export type RouteConditionType = "Accepted" | "ResolvedRefs" | "PartiallyInvalid";

export type RouteConditionReason =
  | "Accepted"
  | "NotAllowedByListeners"
  | "NoMatchingListenerHostname"
  | "NoMatchingParent"
  | "UnsupportedValue"
  | "Pending"
  | "IncompatibleFilters"
  | "ResolvedRefs"
  | "RefNotPermitted"
  | "InvalidKind"
  | "BackendNotFound"
  | "UnsupportedProtocol";

export type PolicyConditionType = "Accepted" | "ResolvedRefs";

export type PolicyConditionReason =
  | "Accepted"
  | "Conflicted"
  | "Invalid"
  | "TargetNotFound"
  // BackendTLSPolicy only.
  | "NoValidCACertificate"
  | "ResolvedRefs"
  | "InvalidCACertificateRef"
  | "InvalidKind";

/** Of any condition of any kind. */
export type ConditionType =
  | GatewayClassConditionType
  | GatewayConditionType
  | ListenerConditionType
  | ListenerSetConditionType
  | RouteConditionType
  | PolicyConditionType;
export type ConditionReason =
  | GatewayClassConditionReason
  | GatewayConditionReason
  | ListenerConditionReason
  | ListenerSetConditionReason
  | RouteConditionReason
  | PolicyConditionReason;
