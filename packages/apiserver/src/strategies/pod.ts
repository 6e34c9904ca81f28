// Write rules of Pods: dynamic defaults, what may change after creation, and the grace of deletion.

import { isDeepStrictEqual } from "node:util";
import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import type { Container, Pod } from "@gatehouse/apimachinery/types/core-v1";
import type { WriteStrategy } from "../resource-definition.ts";
import { forbiddenField } from "../schema/field-cause.ts";
import { defaultPodSpec, noPodSpec, qosClassOf, validatePodSpec } from "./pod-spec.ts";

export const podStrategy: WriteStrategy = {
  complete: (object) => defaultPodSpec(((object as Pod).spec ??= noPodSpec())),
  prepareForCreate: (object) => {
    const pod = object as Pod;
    // What the ServiceAccount admission plugin does in Kubernetes.
    if (!pod.spec.serviceAccountName)
      Object.assign(pod.spec, { serviceAccountName: "default", serviceAccount: "default" });
    pod.spec.enableServiceLinks ??= true;
    pod.status = { phase: "Pending", qosClass: qosClassOf(pod.spec) };
  },
  validate: (object, old) => [
    ...validatePodSpec((object as Pod).spec, "spec"),
    ...(old ? frozenFields(object as Pod, old as Pod) : []),
  ],
  defaultGracePeriodSeconds: (object) => {
    const { spec, status } = object as Pod;
    // Nobody has to stop anything: no kubelet runs it, or its containers have ended.
    if (!spec.nodeName || status?.phase === "Succeeded" || status?.phase === "Failed") return 0;
    return spec.terminationGracePeriodSeconds ?? 30;
  },
};

const rule =
  "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

function frozenFields(pod: Pod, old: Pod): StatusCause[] {
  for (const list of ["containers", "initContainers"] as const) {
    if ((pod.spec[list]?.length ?? 0) === (old.spec[list]?.length ?? 0)) continue;
    return [forbiddenField(`spec.${list}`, "pod updates may not add or remove containers")];
  }
  if (isDeepStrictEqual(fixedPart(pod, old), fixedPart(old, old))) return [];
  return [forbiddenField("spec", rule)];
}

/** The spec without what may change; additions to the old tolerations are left out too. */
function fixedPart({ spec }: Pod, old: Pod): unknown {
  const imageless = (containers: Container[] | undefined) => containers?.map(({ image: _image, ...rest }) => rest);
  const before = old.spec.tolerations ?? [];
  const kept = before.filter((toleration) =>
    (spec.tolerations ?? []).some((present) => isDeepStrictEqual(present, toleration)),
  );
  return {
    ...spec,
    containers: imageless(spec.containers),
    initContainers: imageless(spec.initContainers),
    tolerations: kept.length === before.length,
    activeDeadlineSeconds: undefined,
  };
}
