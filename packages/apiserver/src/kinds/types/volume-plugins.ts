// Volume sources of storage systems: known and validated, never mounted here (core/v1).

import { localObjectReference } from "./references.ts";
import { bool, int32, str, stringMap, strings, struct } from "../schema-helpers.ts";

export const awsElasticBlockStoreVolumeSource = struct("core.v1.AWSElasticBlockStoreVolumeSource", "An AWS disk.", {
  fsType: str(),
  partition: int32(),
  readOnly: bool(),
  "volumeID!": str(),
});

export const azureDiskVolumeSource = struct("core.v1.AzureDiskVolumeSource", "An Azure data disk.", {
  cachingMode: str(undefined, { default: "ReadWrite" }),
  "diskName!": str(),
  "diskURI!": str(),
  fsType: str(undefined, { default: "ext4" }),
  kind: str(undefined, { default: "Shared" }),
  readOnly: bool(undefined, { default: false }),
});

export const azureFileVolumeSource = struct("core.v1.AzureFileVolumeSource", "An Azure file share.", {
  readOnly: bool(),
  "secretName!": str(),
  "shareName!": str(),
});

export const cephFSVolumeSource = struct("core.v1.CephFSVolumeSource", "A Ceph file system.", {
  "monitors!": strings(),
  path: str(),
  readOnly: bool(),
  secretFile: str(),
  secretRef: localObjectReference,
  user: str(),
});

export const cinderVolumeSource = struct("core.v1.CinderVolumeSource", "An OpenStack Cinder volume.", {
  fsType: str(),
  readOnly: bool(),
  secretRef: localObjectReference,
  "volumeID!": str(),
});

export const csiVolumeSource = struct("core.v1.CSIVolumeSource", "A volume of a CSI driver, made for the pod.", {
  "driver!": str(),
  fsType: str(),
  nodePublishSecretRef: localObjectReference,
  readOnly: bool(),
  volumeAttributes: stringMap(),
});

export const fcVolumeSource = struct("core.v1.FCVolumeSource", "A Fibre Channel disk.", {
  fsType: str(),
  lun: int32(),
  readOnly: bool(),
  targetWWNs: strings(),
  wwids: strings(),
});

export const flexVolumeSource = struct("core.v1.FlexVolumeSource", "A volume of an exec driver.", {
  "driver!": str(),
  fsType: str(),
  options: stringMap(),
  readOnly: bool(),
  secretRef: localObjectReference,
});

export const flockerVolumeSource = struct("core.v1.FlockerVolumeSource", "A Flocker volume.", {
  datasetName: str(),
  datasetUUID: str(),
});

export const gcePersistentDiskVolumeSource = struct("core.v1.GCEPersistentDiskVolumeSource", "A Google disk.", {
  fsType: str(),
  partition: int32(),
  "pdName!": str(),
  readOnly: bool(),
});

export const gitRepoVolumeSource = struct("core.v1.GitRepoVolumeSource", "A clone of a git repository.", {
  directory: str(),
  "repository!": str(),
  revision: str(),
});

export const glusterfsVolumeSource = struct("core.v1.GlusterfsVolumeSource", "A Gluster volume.", {
  "endpoints!": str(),
  "path!": str(),
  readOnly: bool(),
});

export const iscsiVolumeSource = struct("core.v1.ISCSIVolumeSource", "An iSCSI disk.", {
  chapAuthDiscovery: bool(),
  chapAuthSession: bool(),
  fsType: str(),
  initiatorName: str(),
  "iqn!": str(),
  iscsiInterface: str(undefined, { default: "default" }),
  "lun!": int32(),
  portals: strings(),
  readOnly: bool(),
  secretRef: localObjectReference,
  "targetPortal!": str(),
});

export const nfsVolumeSource = struct("core.v1.NFSVolumeSource", "An NFS export.", {
  "path!": str(),
  readOnly: bool(),
  "server!": str(),
});

export const photonPersistentDiskVolumeSource = struct("core.v1.PhotonPersistentDiskVolumeSource", "A Photon disk.", {
  fsType: str(),
  "pdID!": str(),
});

export const portworxVolumeSource = struct("core.v1.PortworxVolumeSource", "A Portworx volume.", {
  fsType: str(),
  readOnly: bool(),
  "volumeID!": str(),
});

export const quobyteVolumeSource = struct("core.v1.QuobyteVolumeSource", "A Quobyte volume.", {
  group: str(),
  readOnly: bool(),
  "registry!": str(),
  tenant: str(),
  user: str(),
  "volume!": str(),
});

export const rbdVolumeSource = struct("core.v1.RBDVolumeSource", "A Ceph block device.", {
  fsType: str(),
  "image!": str(),
  keyring: str(undefined, { default: "/etc/ceph/keyring" }),
  "monitors!": strings(),
  pool: str(undefined, { default: "rbd" }),
  readOnly: bool(),
  secretRef: localObjectReference,
  user: str(undefined, { default: "admin" }),
});

export const scaleIOVolumeSource = struct("core.v1.ScaleIOVolumeSource", "A ScaleIO volume.", {
  fsType: str(undefined, { default: "xfs" }),
  "gateway!": str(),
  protectionDomain: str(),
  readOnly: bool(),
  "secretRef!": localObjectReference,
  sslEnabled: bool(),
  storageMode: str(undefined, { default: "ThinProvisioned" }),
  storagePool: str(),
  "system!": str(),
  volumeName: str(),
});

export const storageOSVolumeSource = struct("core.v1.StorageOSVolumeSource", "A StorageOS volume.", {
  fsType: str(),
  readOnly: bool(),
  secretRef: localObjectReference,
  volumeName: str(),
  volumeNamespace: str(),
});

export const vsphereVirtualDiskVolumeSource = struct("core.v1.VsphereVirtualDiskVolumeSource", "A vSphere disk.", {
  fsType: str(),
  storagePolicyID: str(),
  storagePolicyName: str(),
  "volumePath!": str(),
});
