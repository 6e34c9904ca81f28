// Volume sources of storage systems: known and validated, never mounted here (core/v1).

import { localObjectReference } from "./references.ts";
import { bool, int32, str, stringMap, strings, struct } from "../schema-helpers.ts";

export const awsElasticBlockStoreVolumeSource = struct(
  "core.v1.AWSElasticBlockStoreVolumeSource",
  "An AWS disk.",
  {
    fsType: str(undefined),
    partition: int32(undefined),
    readOnly: bool(undefined),
    "volumeID!": str(undefined),
  },
);

export const azureDiskVolumeSource = struct(
  "core.v1.AzureDiskVolumeSource",
  "An Azure data disk.",
  {
    cachingMode: str(undefined, { default: "ReadWrite" }),
    "diskName!": str(undefined),
    "diskURI!": str(undefined),
    fsType: str(undefined, { default: "ext4" }),
    kind: str(undefined, { default: "Shared" }),
    readOnly: bool(undefined, { default: false }),
  },
);

export const azureFileVolumeSource = struct(
  "core.v1.AzureFileVolumeSource",
  "An Azure file share.",
  {
    readOnly: bool(undefined),
    "secretName!": str(undefined),
    "shareName!": str(undefined),
  },
);

export const cephFSVolumeSource = struct("core.v1.CephFSVolumeSource", "A Ceph file system.", {
  "monitors!": strings(undefined),
  path: str(undefined),
  readOnly: bool(undefined),
  secretFile: str(undefined),
  secretRef: localObjectReference,
  user: str(undefined),
});

export const cinderVolumeSource = struct(
  "core.v1.CinderVolumeSource",
  "An OpenStack Cinder volume.",
  {
    fsType: str(undefined),
    readOnly: bool(undefined),
    secretRef: localObjectReference,
    "volumeID!": str(undefined),
  },
);

export const csiVolumeSource = struct(
  "core.v1.CSIVolumeSource",
  "A volume of a CSI driver, made for the pod.",
  {
    "driver!": str(undefined),
    fsType: str(undefined),
    nodePublishSecretRef: localObjectReference,
    readOnly: bool(undefined),
    volumeAttributes: stringMap(undefined),
  },
);

export const fcVolumeSource = struct("core.v1.FCVolumeSource", "A Fibre Channel disk.", {
  fsType: str(undefined),
  lun: int32(undefined),
  readOnly: bool(undefined),
  targetWWNs: strings(undefined),
  wwids: strings(undefined),
});

export const flexVolumeSource = struct("core.v1.FlexVolumeSource", "A volume of an exec driver.", {
  "driver!": str(undefined),
  fsType: str(undefined),
  options: stringMap(undefined),
  readOnly: bool(undefined),
  secretRef: localObjectReference,
});

export const flockerVolumeSource = struct("core.v1.FlockerVolumeSource", "A Flocker volume.", {
  datasetName: str(undefined),
  datasetUUID: str(undefined),
});

export const gcePersistentDiskVolumeSource = struct(
  "core.v1.GCEPersistentDiskVolumeSource",
  "A Google disk.",
  {
    fsType: str(undefined),
    partition: int32(undefined),
    "pdName!": str(undefined),
    readOnly: bool(undefined),
  },
);

export const gitRepoVolumeSource = struct(
  "core.v1.GitRepoVolumeSource",
  "A clone of a git repository.",
  {
    directory: str(undefined),
    "repository!": str(undefined),
    revision: str(undefined),
  },
);

export const glusterfsVolumeSource = struct("core.v1.GlusterfsVolumeSource", "A Gluster volume.", {
  "endpoints!": str(undefined),
  "path!": str(undefined),
  readOnly: bool(undefined),
});

export const iscsiVolumeSource = struct("core.v1.ISCSIVolumeSource", "An iSCSI disk.", {
  chapAuthDiscovery: bool(undefined),
  chapAuthSession: bool(undefined),
  fsType: str(undefined),
  initiatorName: str(undefined),
  "iqn!": str(undefined),
  iscsiInterface: str(undefined, { default: "default" }),
  "lun!": int32(undefined),
  portals: strings(undefined),
  readOnly: bool(undefined),
  secretRef: localObjectReference,
  "targetPortal!": str(undefined),
});

export const nfsVolumeSource = struct("core.v1.NFSVolumeSource", "An NFS export.", {
  "path!": str(undefined),
  readOnly: bool(undefined),
  "server!": str(undefined),
});

export const photonPersistentDiskVolumeSource = struct(
  "core.v1.PhotonPersistentDiskVolumeSource",
  "A Photon disk.",
  {
    fsType: str(undefined),
    "pdID!": str(undefined),
  },
);

export const portworxVolumeSource = struct("core.v1.PortworxVolumeSource", "A Portworx volume.", {
  fsType: str(undefined),
  readOnly: bool(undefined),
  "volumeID!": str(undefined),
});

export const quobyteVolumeSource = struct("core.v1.QuobyteVolumeSource", "A Quobyte volume.", {
  group: str(undefined),
  readOnly: bool(undefined),
  "registry!": str(undefined),
  tenant: str(undefined),
  user: str(undefined),
  "volume!": str(undefined),
});

export const rbdVolumeSource = struct("core.v1.RBDVolumeSource", "A Ceph block device.", {
  fsType: str(undefined),
  "image!": str(undefined),
  keyring: str(undefined, { default: "/etc/ceph/keyring" }),
  "monitors!": strings(undefined),
  pool: str(undefined, { default: "rbd" }),
  readOnly: bool(undefined),
  secretRef: localObjectReference,
  user: str(undefined, { default: "admin" }),
});

export const scaleIOVolumeSource = struct("core.v1.ScaleIOVolumeSource", "A ScaleIO volume.", {
  fsType: str(undefined, { default: "xfs" }),
  "gateway!": str(undefined),
  protectionDomain: str(undefined),
  readOnly: bool(undefined),
  "secretRef!": localObjectReference,
  sslEnabled: bool(undefined),
  storageMode: str(undefined, { default: "ThinProvisioned" }),
  storagePool: str(undefined),
  "system!": str(undefined),
  volumeName: str(undefined),
});

export const storageOSVolumeSource = struct(
  "core.v1.StorageOSVolumeSource",
  "A StorageOS volume.",
  {
    fsType: str(undefined),
    readOnly: bool(undefined),
    secretRef: localObjectReference,
    volumeName: str(undefined),
    volumeNamespace: str(undefined),
  },
);

export const vsphereVirtualDiskVolumeSource = struct(
  "core.v1.VsphereVirtualDiskVolumeSource",
  "A vSphere disk.",
  {
    fsType: str(undefined),
    storagePolicyID: str(undefined),
    storagePolicyName: str(undefined),
    "volumePath!": str(undefined),
  },
);
