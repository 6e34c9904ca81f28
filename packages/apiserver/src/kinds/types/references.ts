// How core objects name other objects and their keys (core/v1).

import { bool, int32, quantity, str, struct } from "../schema-helpers.ts";

export const localObjectReference = struct(
  "core.v1.LocalObjectReference",
  "An object in the same namespace, by name.",
  {
    name: str("Name of the object.", { default: "" }),
  },
  { "x-kubernetes-map-type": "atomic" },
);

export const objectReference = struct(
  "core.v1.ObjectReference",
  "Another object, named as precisely as needed.",
  {
    apiVersion: str(),
    fieldPath: str("A part of the object, e.g. spec.containers{web}."),
    kind: str(),
    name: str(),
    namespace: str(),
    resourceVersion: str(),
    uid: str(),
  },
  { "x-kubernetes-map-type": "atomic" },
);

export const typedLocalObjectReference = struct(
  "core.v1.TypedLocalObjectReference",
  "An object of any kind in the same namespace.",
  {
    apiGroup: str("Group of the kind; empty for core."),
    "kind!": str(),
    "name!": str(),
  },
  { "x-kubernetes-map-type": "atomic" },
);

export const typedObjectReference = struct("core.v1.TypedObjectReference", "An object of any kind.", {
  apiGroup: str(),
  "kind!": str(),
  "name!": str(),
  namespace: str(),
});

export const configMapKeySelector = struct(
  "core.v1.ConfigMapKeySelector",
  "One key of a ConfigMap.",
  {
    "key!": str("The key."),
    name: str("Name of the ConfigMap.", { default: "" }),
    optional: bool("True: it may be missing."),
  },
  { "x-kubernetes-map-type": "atomic" },
);

export const secretKeySelector = struct(
  "core.v1.SecretKeySelector",
  "One key of a Secret.",
  {
    "key!": str("The key."),
    name: str("Name of the Secret.", { default: "" }),
    optional: bool("True: it may be missing."),
  },
  { "x-kubernetes-map-type": "atomic" },
);

export const objectFieldSelector = struct(
  "core.v1.ObjectFieldSelector",
  "A field of the pod.",
  {
    apiVersion: str("Version the path is written in.", { default: "v1" }),
    "fieldPath!": str("The field, e.g. metadata.name or status.podIP."),
  },
  { "x-kubernetes-map-type": "atomic" },
);

export const resourceFieldSelector = struct(
  "core.v1.ResourceFieldSelector",
  "A resource request or limit of a container.",
  {
    containerName: str("Which container; needed in volumes."),
    divisor: quantity("Unit of the result.", { default: "0" }),
    "resource!": str("The resource, e.g. limits.cpu."),
  },
  { "x-kubernetes-map-type": "atomic" },
);

export const fileKeySelector = struct(
  "core.v1.FileKeySelector",
  "One key of an environment file in a volume.",
  {
    "key!": str(),
    optional: bool("True: it may be missing.", { default: false }),
    "path!": str(),
    "volumeName!": str(),
  },
  { "x-kubernetes-map-type": "atomic" },
);

export const keyToPath = struct("core.v1.KeyToPath", "Which file a key becomes.", {
  "key!": str("The key."),
  mode: int32("Permission bits of the file, in decimal."),
  "path!": str("Path of the file within the volume."),
});
