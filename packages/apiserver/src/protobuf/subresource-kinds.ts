// Kinds that are only ever sent to subresources, and so are no resources of their own.

import type { Schema } from "@gatehouse/apimachinery/schema";
import { scaleSchema } from "../kinds/autoscaling.ts";
import { rootSchema } from "../kinds/definition-helpers.ts";
import { field, int64, str, strings, struct, time } from "../kinds/schema-helpers.ts";
import { deleteOptions } from "../kinds/types/meta.ts";
import { objectReference } from "../kinds/types/references.ts";

const boundObjectReference = struct(
  "authentication.v1.BoundObjectReference",
  "The object a token lives and dies with.",
  { apiVersion: str(), kind: str(), name: str(), uid: str() },
);

const tokenRequest = rootSchema(
  { group: "authentication.k8s.io", version: "v1", kind: "TokenRequest" },
  "authentication.v1",
  "Asks for a token of a ServiceAccount.",
  {
    "spec!": struct("authentication.v1.TokenRequestSpec", "What the token is for.", {
      audiences: strings("Who may accept it."),
      boundObjectRef: boundObjectReference,
      expirationSeconds: int64("How long it is valid."),
    }),
    status: struct("authentication.v1.TokenRequestStatus", "The token.", {
      expirationTimestamp: time(),
      token: str(),
    }),
  },
);

const eviction = rootSchema(
  { group: "policy", version: "v1", kind: "Eviction" },
  "policy.v1",
  "Asks to end a pod for the sake of its node.",
  { deleteOptions: field(deleteOptions, "How to delete the pod.") },
);

const binding = rootSchema({ group: "", version: "v1", kind: "Binding" }, "core.v1", "Gives a pod its node.", {
  "target!": field(objectReference, "The node."),
});

/** Schemas by apiVersion and kind. DeleteOptions come under the group version of whatever is deleted, so they are not here. */
export const subresourceKinds: Record<string, Schema> = {
  "authentication.k8s.io/v1 TokenRequest": tokenRequest,
  "policy/v1 Eviction": eviction,
  "v1 Binding": binding,
  "autoscaling/v1 Scale": scaleSchema,
};
