// What a pod can mount (core/v1).

import { labelSelector, objectMeta } from "./meta.ts";
import {
  keyToPath,
  objectFieldSelector,
  resourceFieldSelector,
  typedLocalObjectReference,
  typedObjectReference,
} from "./references.ts";
import {
  awsElasticBlockStoreVolumeSource,
  azureDiskVolumeSource,
  azureFileVolumeSource,
  cephFSVolumeSource,
  cinderVolumeSource,
  csiVolumeSource,
  fcVolumeSource,
  flexVolumeSource,
  flockerVolumeSource,
  gcePersistentDiskVolumeSource,
  gitRepoVolumeSource,
  glusterfsVolumeSource,
  iscsiVolumeSource,
  nfsVolumeSource,
  photonPersistentDiskVolumeSource,
  portworxVolumeSource,
  quobyteVolumeSource,
  rbdVolumeSource,
  scaleIOVolumeSource,
  storageOSVolumeSource,
  vsphereVirtualDiskVolumeSource,
} from "./volume-plugins.ts";
import {
  anyObject,
  bool,
  field,
  int32,
  int64,
  listOf,
  quantities,
  quantity,
  str,
  strings,
  struct,
} from "../schema-helpers.ts";

const configMapVolumeSource = struct("core.v1.ConfigMapVolumeSource", "The keys of a ConfigMap as files.", {
  defaultMode: int32("Permission bits of the files, in decimal.", { default: 420 }),
  items: listOf(keyToPath, "Only these keys, at these paths."),
  name: str("Name of the ConfigMap.", { default: "" }),
  optional: bool("True: it may be missing."),
});

const secretVolumeSource = struct("core.v1.SecretVolumeSource", "The keys of a Secret as files.", {
  defaultMode: int32("Permission bits of the files, in decimal.", { default: 420 }),
  items: listOf(keyToPath, "Only these keys, at these paths."),
  optional: bool("True: it may be missing."),
  secretName: str("Name of the Secret."),
});

const downwardAPIVolumeFile = struct("core.v1.DownwardAPIVolumeFile", "A file with a field of the pod.", {
  fieldRef: objectFieldSelector,
  mode: int32(),
  "path!": str(),
  resourceFieldRef: resourceFieldSelector,
});

const downwardAPIVolumeSource = struct("core.v1.DownwardAPIVolumeSource", "Fields of the pod as files.", {
  defaultMode: int32(undefined, { default: 420 }),
  items: listOf(downwardAPIVolumeFile),
});

const emptyDirVolumeSource = struct(
  "core.v1.EmptyDirVolumeSource",
  "An empty directory that lives as long as the pod.",
  {
    medium: str("Where it is kept: empty for disk, or Memory."),
    sizeLimit: quantity("How large it may grow."),
  },
);

const hostPathVolumeSource = struct("core.v1.HostPathVolumeSource", "A file or directory of the node.", {
  "path!": str("The path on the node."),
  type: str("What must be at the path.", { default: "" }),
});

const imageVolumeSource = struct("core.v1.ImageVolumeSource", "The files of an image.", {
  pullPolicy: str(),
  reference: str(),
});

const volumeResourceRequirements = struct("core.v1.VolumeResourceRequirements", "How much storage is wanted.", {
  limits: quantities(),
  requests: quantities(),
});

const persistentVolumeClaimSpec = struct("core.v1.PersistentVolumeClaimSpec", "Storage that is asked for.", {
  accessModes: strings(),
  dataSource: typedLocalObjectReference,
  dataSourceRef: typedObjectReference,
  resources: volumeResourceRequirements,
  selector: labelSelector,
  storageClassName: str(),
  volumeAttributesClassName: str(),
  volumeMode: str(undefined, { default: "Filesystem" }),
  volumeName: str(),
});

const persistentVolumeClaimTemplate = struct("core.v1.PersistentVolumeClaimTemplate", "The claim made for a pod.", {
  metadata: objectMeta,
  "spec!": persistentVolumeClaimSpec,
});

/** A claim as StatefulSets carry it in their templates. */
export const persistentVolumeClaim = struct("core.v1.PersistentVolumeClaim", "A claim to storage.", {
  apiVersion: str(),
  kind: str(),
  metadata: objectMeta,
  spec: persistentVolumeClaimSpec,
  status: anyObject(),
});

const ephemeralVolumeSource = struct("core.v1.EphemeralVolumeSource", "A claim that lives as long as the pod.", {
  volumeClaimTemplate: persistentVolumeClaimTemplate,
});

const persistentVolumeClaimVolumeSource = struct(
  "core.v1.PersistentVolumeClaimVolumeSource",
  "A claim in the same namespace.",
  {
    "claimName!": str(),
    readOnly: bool(),
  },
);

const clusterTrustBundleProjection = struct(
  "core.v1.ClusterTrustBundleProjection",
  "Certificates of a ClusterTrustBundle as a file.",
  {
    labelSelector: labelSelector,
    name: str(),
    optional: bool(),
    "path!": str(),
    signerName: str(),
  },
);

const configMapProjection = struct("core.v1.ConfigMapProjection", "Keys of a ConfigMap as files.", {
  items: listOf(keyToPath),
  name: str(undefined, { default: "" }),
  optional: bool(),
});

const downwardAPIProjection = struct("core.v1.DownwardAPIProjection", "Fields of the pod as files.", {
  items: listOf(downwardAPIVolumeFile),
});

const podCertificateProjection = struct(
  "core.v1.PodCertificateProjection",
  "A certificate issued to the pod, as files.",
  {
    certificateChainPath: str(),
    credentialBundlePath: str(),
    keyPath: str(),
    "keyType!": str(),
    maxExpirationSeconds: int32(),
    "signerName!": str(),
  },
);

const secretProjection = struct("core.v1.SecretProjection", "Keys of a Secret as files.", {
  items: listOf(keyToPath),
  name: str(undefined, { default: "" }),
  optional: bool(),
});

const serviceAccountTokenProjection = struct(
  "core.v1.ServiceAccountTokenProjection",
  "A token of the pod's service account as a file.",
  {
    audience: str("Whom the token is for."),
    expirationSeconds: int64("Seconds it is valid.", { default: 3600 }),
    "path!": str("Path of the file within the volume."),
  },
);

const volumeProjection = struct("core.v1.VolumeProjection", "One source of a projected volume.", {
  clusterTrustBundle: clusterTrustBundleProjection,
  configMap: configMapProjection,
  downwardAPI: downwardAPIProjection,
  podCertificate: podCertificateProjection,
  secret: secretProjection,
  serviceAccountToken: serviceAccountTokenProjection,
});

const projectedVolumeSource = struct("core.v1.ProjectedVolumeSource", "Several sources in one directory.", {
  defaultMode: int32("Permission bits of the files, in decimal.", { default: 420 }),
  sources: listOf(volumeProjection, "The sources, later ones over earlier ones."),
});

export const volume = struct("core.v1.Volume", "A named directory that containers of the pod can mount.", {
  awsElasticBlockStore: awsElasticBlockStoreVolumeSource,
  azureDisk: azureDiskVolumeSource,
  azureFile: azureFileVolumeSource,
  cephfs: cephFSVolumeSource,
  cinder: cinderVolumeSource,
  configMap: field(configMapVolumeSource, "The keys of a ConfigMap as files."),
  csi: csiVolumeSource,
  downwardAPI: field(downwardAPIVolumeSource, "Fields of the pod as files."),
  emptyDir: field(emptyDirVolumeSource, "An empty directory that lives as long as the pod."),
  ephemeral: ephemeralVolumeSource,
  fc: fcVolumeSource,
  flexVolume: flexVolumeSource,
  flocker: flockerVolumeSource,
  gcePersistentDisk: gcePersistentDiskVolumeSource,
  gitRepo: gitRepoVolumeSource,
  glusterfs: glusterfsVolumeSource,
  hostPath: field(hostPathVolumeSource, "A file or directory of the node."),
  image: imageVolumeSource,
  iscsi: iscsiVolumeSource,
  "name!": str("Name, unique in the pod."),
  nfs: nfsVolumeSource,
  persistentVolumeClaim: persistentVolumeClaimVolumeSource,
  photonPersistentDisk: photonPersistentDiskVolumeSource,
  portworxVolume: portworxVolumeSource,
  projected: field(projectedVolumeSource, "Several sources in one directory."),
  quobyte: quobyteVolumeSource,
  rbd: rbdVolumeSource,
  scaleIO: scaleIOVolumeSource,
  secret: field(secretVolumeSource, "The keys of a Secret as files."),
  storageos: storageOSVolumeSource,
  vsphereVolume: vsphereVirtualDiskVolumeSource,
});
