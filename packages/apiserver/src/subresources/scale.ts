// The scale subresource: an autoscaling/v1 Scale over three fields of the object.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { formatLabelSelector, requirementsOf } from "@gatehouse/apimachinery/selectors";
import { invalid, notFound } from "@gatehouse/apimachinery/status-error";
import { admitByPolicies } from "../admission/admit.ts";
import { type Answer, type ApiContext, type ResourceRequest, subjectOf } from "../api-context.ts";
import { decodeBody } from "../http/decode-body.ts";
import { methodNotAllowed } from "../http/error-answers.ts";
import { readObject } from "../storage/stored-objects.ts";
import { isTree } from "../patch/merge-patch.ts";
import { isApply, patchOf } from "../verbs/patch.ts";
import { isDryRun } from "../request-options.ts";
import { admitChange, storeChange } from "../write-pipeline.ts";

interface ScalePaths {
  specReplicasPath: string;
  statusReplicasPath: string;
  labelSelectorPath?: string;
}

interface Scale extends KubeObject {
  spec?: { replicas?: number };
}

const scaleKind = { group: "autoscaling", version: "v1", kind: "Scale" };

/** GET, PUT and PATCH of `.../scale`. Throws 404, 409, 422. */
export async function scale(context: ApiContext, request: ResourceRequest, paths: ScalePaths): Promise<Answer> {
  const { definition, namespace, name = "", verb } = request;
  if (verb === "patch" && isApply(request.body)) return applyScale(context, request, paths);
  const change = verb === "get" ? undefined : await changeOf(request);
  if (verb === "get") await context.store.settled();
  const old = readObject(context.store, definition, namespace, name);
  if (!old) throw notFound(subjectOf(definition, name));
  const current = scaleOf(old, paths);
  if (!change) return { type: "object", code: 200, object: current };
  const wanted = change(structuredClone(current)) as Scale;
  const next = structuredClone(old);
  setPath(next, paths.specReplicasPath, replicasOf(wanted, name));
  next.metadata.resourceVersion = wanted.metadata?.resourceVersion || (old.metadata.resourceVersion ?? "");
  if (wanted.metadata?.uid) next.metadata.uid = wanted.metadata.uid;
  const admitted = admitChange(context, request, old, next, "object");
  const object = scaleOf(admitted, paths);
  admitByPolicies(context, request, {
    operation: "UPDATE",
    object,
    old: current,
    subresource: "scale",
    kind: scaleKind,
  });
  const stored = isDryRun(request) ? admitted : storeChange(context, definition, old, admitted);
  await context.store.committed();
  return { type: "object", code: 200, object: scaleOf(stored, paths) };
}

/** Applies the one field of a Scale that is an object's own. Throws as every apply does. */
async function applyScale(context: ApiContext, request: ResourceRequest, paths: ScalePaths): Promise<Answer> {
  const { applyToObject, checkApplyOptions, checkConfig, decodeConfig } = await import("../verbs/apply.ts");
  const { definition, namespace, name = "", query } = request;
  const dryRun = isDryRun(request);
  checkApplyOptions(query);
  const wanted = await decodeConfig(request.body);
  const old = readObject(context.store, definition, namespace, name);
  if (!old) throw notFound(subjectOf(definition, name));
  checkConfig(wanted, { apiVersion: "autoscaling/v1", kind: "Scale" });
  const { uid, resourceVersion } = wanted.metadata ?? {};
  const metadata = { name, ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) };
  const config = { apiVersion: old.apiVersion, kind: old.kind, metadata };
  if ((wanted as unknown as Scale).spec?.replicas !== undefined) {
    setPath(config as unknown as KubeObject, paths.specReplicasPath, replicasOf(wanted as unknown as Scale, name));
  }
  const stored = applyToObject(context, request, old, config, "object", dryRun);
  await context.store.committed();
  return { type: "object", code: 200, object: scaleOf(stored, paths) };
}

async function changeOf(request: ResourceRequest): Promise<(current: unknown) => unknown> {
  if (request.verb === "update") {
    const body = await decodeBody(request.body);
    return () => body;
  }
  // A Scale has no lists, so strategic merge and merge are one; it is served for custom resources too.
  if (request.verb !== "patch") throw methodNotAllowed();
  const { body } = request;
  const contentType = body.contentType.replace("strategic-merge-patch", "merge-patch");
  return patchOf({ ...body, contentType }, request.definition, true);
}

function scaleOf(object: KubeObject, paths: ScalePaths): Scale {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const replicas = (path: string): number => Number(getPath(object, path) ?? 0);
  const selector = paths.labelSelectorPath ? selectorText(getPath(object, paths.labelSelectorPath)) : "";
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: {
      name,
      ...(namespace ? { namespace } : {}),
      ...(uid ? { uid } : {}),
      ...(resourceVersion ? { resourceVersion } : {}),
      ...(creationTimestamp ? { creationTimestamp } : {}),
    },
    spec: { replicas: replicas(paths.specReplicasPath) },
    status: { replicas: replicas(paths.statusReplicasPath), ...(selector ? { selector } : {}) },
  };
}

function selectorText(selector: unknown): string {
  if (typeof selector === "string") return selector;
  return selector !== null && typeof selector === "object" ? formatLabelSelector(requirementsOf(selector)) : "";
}

function replicasOf(wanted: Scale, name: string): number {
  const replicas = wanted?.spec?.replicas ?? 0;
  if (Number.isSafeInteger(replicas) && replicas >= 0) return replicas;
  const message = `Invalid value: ${JSON.stringify(replicas)}: must be greater than or equal to 0`;
  const cause = { reason: "FieldValueInvalid", message, field: "spec.replicas" };
  throw invalid({ group: "autoscaling", kind: "Scale", name }, [cause]);
}

function getPath(object: KubeObject, path: string): unknown {
  return segments(path).reduce<unknown>(own, object);
}

/** CRDs name the paths: only what is in the object itself is read, and written to. */
function own(value: unknown, name: string): unknown {
  return isTree(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function setPath(object: KubeObject, path: string, value: unknown): void {
  const names = segments(path);
  const last = names.pop() ?? "";
  let holder = object as Record<string, unknown>;
  for (const name of names) {
    const present = own(holder, name);
    const next = isTree(present) ? present : {};
    if (next !== present) define(holder, name, next);
    holder = next;
  }
  define(holder, last, value);
}

function define(holder: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(holder, name, { value, enumerable: true, configurable: true, writable: true });
}

const segments = (path: string): string[] => path.split(".").filter(Boolean);
