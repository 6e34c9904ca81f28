// What Kubernetes' admission plugins do to new Pods: an account that there is not is refused (ServiceAccount), and a lost node is
// put up with for five minutes (DefaultTolerationSeconds).

import { forbidden } from "@gatehouse/apimachinery/status-error";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { Pod } from "@gatehouse/apimachinery/types/core-v1";
import { type ApiContext, subjectOf } from "../api-context.ts";
import type { ResourceDefinition } from "../resource-definition.ts";
import { keyOf } from "../storage/stored-objects.ts";

interface Toleration {
  key?: string;
  operator?: string;
  effect?: string;
  tolerationSeconds?: number;
}

const lostNodeTaints = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];
const toleratedSeconds = 300;

/** Changes a new Pod in place; other kinds pass. Throws 403 when its account is missing. */
export function admitPod({ store }: ApiContext, definition: ResourceDefinition, object: KubeObject): void {
  const { group, plural } = definition.type;
  if (group !== "" || plural !== "pods") return;
  const pod = object as Pod;
  const { namespace = "", name } = pod.metadata;
  const account = pod.spec.serviceAccountName ?? "default";
  // `default` is made by a controller a moment after its namespace: nobody should have to wait for that.
  if (account !== "default" && !store.get("/serviceaccounts", keyOf(namespace, account))) {
    const why = `error looking up service account ${namespace}/${account}: serviceaccount "${account}" not found`;
    throw forbidden(`pods "${name}" is forbidden: ${why}`, subjectOf(definition, name));
  }
  tolerateLostNodes(pod.spec);
}

function tolerateLostNodes(spec: { tolerations?: Toleration[] }): void {
  const said = spec.tolerations ?? [];
  const missing = lostNodeTaints.filter(
    (taint) => !said.some(({ key, effect }) => (!key || key === taint) && (!effect || effect === "NoExecute")),
  );
  if (missing.length === 0) return;
  const added = missing.map((key) => ({
    key,
    operator: "Exists",
    effect: "NoExecute",
    tolerationSeconds: toleratedSeconds,
  }));
  spec.tolerations = [...said, ...added];
}
