// What has to be true of somebody's cluster before anything is installed on it: its version, this user's rights, and that
// nothing of the same names is there. All of it is read only.

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { StatusError } from "@gatehouse/apimachinery/status-error";
import { gatewayClasses } from "@gatehouse/gateway-api/gateway-class";
import { apiVersionOf } from "@gatehouse/apimachinery/resource-type";
import { carries } from "../../apply-objects.ts";
import { installedMark } from "../../installed-mark.ts";
import { demoType, loadApplications, loadRoutes } from "../../steps/demo-manifests.ts";
import { UserError } from "../../user-error.ts";
import { loadBalancer } from "./load-balancer.ts";

/** Gateway API v1.4 definitions have validation rules in CEL (Kubernetes 1.26), which cost limits of 1.29 let pass. */
const oldestMinor = 29;

export interface Right {
  verbs: string[];
  group: string;
  resource: string;
  namespace?: string;
}

/** All are applied, waited for (Helm 4 watches every kind that it installs) and deleted. */
const all = ["get", "list", "watch", "create", "patch", "delete"];
const gatewayApi = "gateway.networking.k8s.io";
const rbac = "rbac.authorization.k8s.io";

/**
 * What the steps of `up` and `down` need, the chart's objects included. Not: the rights that the chart's ClusterRole gives
 * Traefik, which one has to have oneself, or be allowed to give (`escalate`).
 */
export const neededRights: Right[] = [
  { verbs: all, group: "", resource: "namespaces" },
  { verbs: all, group: "apiextensions.k8s.io", resource: "customresourcedefinitions" },
  { verbs: all, group: rbac, resource: "clusterroles" },
  { verbs: all, group: rbac, resource: "clusterrolebindings" },
  { verbs: all, group: gatewayApi, resource: "gatewayclasses" },
  { verbs: all, group: gatewayApi, resource: "gateways", namespace: "traefik" },
  { verbs: all, group: gatewayApi, resource: "httproutes", namespace: "demo" },
  // Helm keeps its releases in Secrets.
  { verbs: ["get", "list", "create", "update", "delete"], group: "", resource: "secrets", namespace: "traefik" },
  { verbs: all, group: "", resource: "serviceaccounts", namespace: "traefik" },
  { verbs: all, group: "", resource: "services", namespace: "traefik" },
  { verbs: all, group: "apps", resource: "daemonsets", namespace: "traefik" },
  { verbs: ["list", "watch"], group: "", resource: "pods", namespace: "traefik" },
  { verbs: all, group: "", resource: "services", namespace: "demo" },
  { verbs: all, group: "apps", resource: "deployments", namespace: "demo" },
  { verbs: ["list", "watch"], group: "", resource: "pods", namespace: "demo" },
];

/** The server's version, e.g. `v1.34.1`. Throws a UserError when it is too old. */
export async function checkVersion(client: ApiClient): Promise<string> {
  const info = await client.json<{ major: string; minor: string; gitVersion: string }>({
    method: "GET",
    path: "/version",
  });
  const minor = Number.parseInt(info.minor, 10);
  if (info.major === "1" && minor < oldestMinor) {
    throw new UserError(
      `this cluster runs Kubernetes ${info.gitVersion}; Gateway API needs 1.${oldestMinor} or newer: upgrade it, or use ./setup.sh --cluster kind`,
    );
  }
  return info.gitVersion;
}

/** Throws a UserError that names every right this user lacks. */
export async function checkRights(client: ApiClient): Promise<void> {
  const answers = await Promise.all(
    neededRights.map(async (right) => ({ ...right, verbs: await deniedVerbs(client, right) })),
  );
  const denied = answers.filter(({ verbs }) => verbs.length > 0);
  if (denied.length === 0) return;
  const list = denied.map(({ verbs, group, resource, namespace }) => {
    const where = namespace ? ` in namespace ${namespace}` : "";
    return `${verbs.join("/")} ${group ? `${resource}.${group}` : resource}${where}`;
  });
  throw new UserError(
    `this user may not: ${list.join(", ")}; ask the cluster's administrator for these rights (or cluster-admin), or use a cluster of your own with ./setup.sh --cluster kind`,
  );
}

async function deniedVerbs(client: ApiClient, { verbs, ...resource }: Right): Promise<string[]> {
  const allowed = await Promise.all(verbs.map((verb) => mayDo(client, { verb, ...resource })));
  return verbs.filter((_, index) => !allowed[index]);
}

async function mayDo(
  client: ApiClient,
  { namespace, ...what }: Omit<Right, "verbs"> & { verb: string },
): Promise<boolean> {
  const resourceAttributes = { ...what, ...(namespace ? { namespace } : {}) };
  const review = await client.json<{ status: { allowed: boolean } }>({
    method: "POST",
    path: "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      spec: { resourceAttributes },
    }),
  });
  return review.status.allowed;
}

/** Throws a UserError that names the objects which are there and were not installed by `up`. Namespaces are shared. */
export async function checkNames(client: ApiClient): Promise<void> {
  const gatewayClass = {
    apiVersion: apiVersionOf(gatewayClasses),
    kind: "GatewayClass",
    metadata: { name: "traefik" },
  };
  const all = [...(await loadApplications()), ...(await loadRoutes(false)), loadBalancer];
  const objects = all.filter(({ kind }) => kind !== "Namespace");
  const found = await Promise.all(objects.map(async (object) => ((await isForeign(client, object)) ? [object] : [])));
  const taken = found.flat().map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`);
  if (await isForeign(client, gatewayClass))
    taken.push(`GatewayClass ${gatewayClass.metadata.name} (another Traefik?)`);
  if (taken.length === 0) return;
  throw new UserError(
    `these are there already, and not from here: ${taken.join(", ")}; remove them, or use another cluster`,
  );
}

/** There, and neither marked as ours nor of our Helm release (which is checked by itself). */
async function isForeign(client: ApiClient, object: KubeObject): Promise<boolean> {
  const { apiVersion, kind, metadata } = object;
  try {
    const live = await client.get(demoType(apiVersion, kind), metadata.name, metadata.namespace);
    const { labels, annotations } = live.metadata;
    const byHelm = labels?.["app.kubernetes.io/managed-by"] === "Helm";
    const ofRelease = annotations?.["meta.helm.sh/release-namespace"] === "traefik";
    return !carries(live, installedMark) && !(byHelm && ofRelease);
  } catch (error) {
    // Kinds that are not installed yet are not found either.
    if (error instanceof StatusError && error.code === 404) return false;
    throw error;
  }
}
