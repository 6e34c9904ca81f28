// Well-known kinds that this cluster does not have. Discovery is silent about them, so kubectl and helm say "no matches for
// kind"; who asks for their URL is told by name, and what to do instead (docs/decisions/0010-kinds.md).

/** `group/plural` to the kind and why it is not there. */
const absent: Readonly<Record<string, { kind: string; why: string }>> = {
  "/persistentvolumeclaims": {
    kind: "PersistentVolumeClaim",
    why: "it has no storage to claim; use an emptyDir volume",
  },
  "/persistentvolumes": { kind: "PersistentVolume", why: "it has no storage to offer; use an emptyDir volume" },
  "/resourcequotas": { kind: "ResourceQuota", why: "it would not enforce one" },
  "/limitranges": { kind: "LimitRange", why: "it would not enforce one" },
  "/replicationcontrollers": { kind: "ReplicationController", why: "use a Deployment" },
  "/podtemplates": { kind: "PodTemplate", why: "nothing reads them" },
  "/componentstatuses": { kind: "ComponentStatus", why: "ask /readyz" },
  "admissionregistration.k8s.io/mutatingwebhookconfigurations": {
    kind: "MutatingWebhookConfiguration",
    why: "it calls no admission webhooks",
  },
  "admissionregistration.k8s.io/validatingwebhookconfigurations": {
    kind: "ValidatingWebhookConfiguration",
    why: "it calls no admission webhooks; CustomResourceDefinitions may have CEL rules",
  },
  "apiregistration.k8s.io/apiservices": { kind: "APIService", why: "its API server forwards to no other" },
  "certificates.k8s.io/certificatesigningrequests": {
    kind: "CertificateSigningRequest",
    why: "its certificate authority's key is not kept",
  },
  "node.k8s.io/runtimeclasses": { kind: "RuntimeClass", why: "its node has no container runtime" },
  "storage.k8s.io/storageclasses": { kind: "StorageClass", why: "it has no storage" },
  "storage.k8s.io/volumeattachments": { kind: "VolumeAttachment", why: "it has no storage" },
  "storage.k8s.io/csidrivers": { kind: "CSIDriver", why: "it has no storage" },
  "storage.k8s.io/csinodes": { kind: "CSINode", why: "it has no storage" },
  "storage.k8s.io/csistoragecapacities": { kind: "CSIStorageCapacity", why: "it has no storage" },
  "flowcontrol.apiserver.k8s.io/flowschemas": { kind: "FlowSchema", why: "its API server does not ration requests" },
  "flowcontrol.apiserver.k8s.io/prioritylevelconfigurations": {
    kind: "PriorityLevelConfiguration",
    why: "its API server does not ration requests",
  },
};

/** A sentence on why a well-known resource is not served; undefined for one that is not known. */
export function absenceOf(group: string, plural: string): string | undefined {
  const key = `${group}/${plural}`;
  const found = Object.hasOwn(absent, key) ? absent[key] : undefined;
  return found && `this cluster has no ${found.kind} API: ${found.why}`;
}
