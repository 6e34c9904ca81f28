// Shapes every kind shares (meta/v1).

import {
  anyObject,
  bool,
  field,
  int64,
  listBy,
  listOf,
  oneOf,
  setOf,
  str,
  stringMap,
  strings,
  struct,
  time,
} from "../schema-helpers.ts";
import { mayRepeat } from "../../schema/validate.ts";

const ownerReference = struct(
  "meta.v1.OwnerReference",
  "The object that an object belongs to: when the owner goes, so does what it owns.",
  {
    "apiVersion!": str("API version of the owner."),
    blockOwnerDeletion: bool("True: the owner, deleted in the foreground, waits for this object."),
    controller: bool("True for the one owner that manages the object."),
    "kind!": str("Kind of the owner."),
    "name!": str("Name of the owner."),
    "uid!": str("UID of the owner."),
  },
  { "x-kubernetes-map-type": "atomic" },
);

const managedFieldsEntry = struct("meta.v1.ManagedFieldsEntry", "The fields that one manager has set.", {
  apiVersion: str("The version the fields are written in."),
  fieldsType: str("Always FieldsV1."),
  fieldsV1: anyObject("The set of fields."),
  manager: str("Who set the fields."),
  operation: str("How they were set: Apply or Update."),
  subresource: str("The subresource through which they were set, if any."),
  time: time("When the manager last changed its fields."),
});

export const objectMeta = struct(
  "meta.v1.ObjectMeta",
  "What every stored object has: its identity, labels and place in the object's life.",
  {
    annotations: stringMap("Keys and values that tools keep with the object; not to select by."),
    creationTimestamp: time("When the object was created; set by the server."),
    deletionGracePeriodSeconds: int64("Seconds the object gets to end by itself."),
    deletionTimestamp: time("When the object will be gone; set by the server on a graceful delete."),
    finalizers: mayRepeat(
      setOf(str(), "Who must agree before the object is removed.", {
        "x-kubernetes-patch-strategy": "merge",
      }),
    ),
    generateName: str("Prefix of a name that the server completes when no name is given."),
    generation: int64("Counts changes of the desired state; set by the server."),
    labels: stringMap("Keys and values to select objects by."),
    managedFields: listOf(managedFieldsEntry, "Which manager set which fields."),
    name: str("Name, unique among the objects of this kind in the namespace. Cannot be changed."),
    namespace: str("The space within which the name is unique. Empty for cluster-scoped kinds."),
    ownerReferences: listBy(["uid"], ownerReference, "The objects this one belongs to.", { repeats: true }),
    resourceVersion: str("Changes with each write; send it back to update only what you have seen."),
    selfLink: str("No longer set."),
    uid: str("Identity of this very object in time; set by the server."),
  },
);

export const labelSelectorRequirement = struct("meta.v1.LabelSelectorRequirement", "One condition on a label.", {
  "key!": str("The label."),
  "operator!": str("How the label relates to the values: In, NotIn, Exists or DoesNotExist."),
  values: strings("Values for In and NotIn; empty for the others."),
});

export const labelSelector = struct(
  "meta.v1.LabelSelector",
  "Selects objects by their labels; all conditions must hold. An empty selector selects everything.",
  {
    matchExpressions: listOf(labelSelectorRequirement, "Further conditions on labels."),
    matchLabels: stringMap("Labels and the values they must have."),
  },
  { "x-kubernetes-map-type": "atomic" },
);

export const fieldSelectorRequirement = struct("meta.v1.FieldSelectorRequirement", "One condition on a field.", {
  "key!": str("The field."),
  "operator!": str("In, NotIn, Exists or DoesNotExist."),
  values: strings("Values for In and NotIn."),
});

export const condition = struct("meta.v1.Condition", "One aspect of an object's present state.", {
  "lastTransitionTime!": time("When the status last changed."),
  "message!": str("A sentence for people."),
  observedGeneration: int64("The generation of the object this was found for.", { minimum: 0 }),
  "reason!": str("One CamelCase word for why."),
  "status!": oneOf(["True", "False", "Unknown"], "Whether it holds: True, False or Unknown."),
  "type!": str("Which aspect, in CamelCase."),
});

const preconditions = struct("meta.v1.Preconditions", "What must be true of the object for it to be deleted.", {
  resourceVersion: str("Its resource version."),
  uid: str("Its UID."),
});

export const deleteOptions = struct("meta.v1.DeleteOptions", "How an object is to be deleted.", {
  apiVersion: str(),
  dryRun: strings("`All`: do everything but the deletion."),
  gracePeriodSeconds: int64("Seconds to wait; zero deletes at once."),
  ignoreStoreReadErrorWithClusterBreakingPotential: bool(),
  kind: str(),
  orphanDependents: bool(),
  preconditions: field(preconditions, "What must be true for the deletion to happen."),
  propagationPolicy: str("What happens to dependents: Orphan, Background or Foreground."),
});
