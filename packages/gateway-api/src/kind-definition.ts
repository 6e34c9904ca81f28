// Kinds: the root object every kind shares, and how a kind with its versions becomes a CustomResourceDefinition.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import type { Schema } from "@gatehouse/apimachinery/schema";
import { type Availability, type Bundle, type BundleVersion, everywhere, isAvailable } from "./bundle.ts";
import { Definition, type Fields, object, type ObjectOf } from "./schema-builder.ts";

/** A column of `kubectl get`. Priority 1 shows with `-o wide` only. */
export interface PrinterColumn {
  name: string;
  type: "string" | "date" | "integer";
  jsonPath: string;
  priority?: number;
}

export const ageColumn: PrinterColumn = {
  name: "Age",
  type: "date",
  jsonPath: ".metadata.creationTimestamp",
};

/** The column that shows the status of a condition. */
export function conditionColumn(type: string): PrinterColumn {
  return {
    name: type,
    type: "string",
    jsonPath: `.status.conditions[?(@.type=="${type}")].status`,
  };
}

export interface VersionDefinition {
  name: string;
  schema: Definition<KubeObject>;
  /** Bundles that have this version at all. Default: every one. A name may occur twice with disjoint bundles. */
  in?: Availability;
  /** Default: in every bundle. */
  served?: Availability;
  storage: Availability;
  columns?: readonly PrinterColumn[];
  subresources?: { status?: Record<string, never> };
  /** Makes the version deprecated; shown to whoever uses it. */
  deprecationWarning?: string;
}

export interface KindDefinition {
  resource: ResourceType;
  shortNames?: readonly string[];
  /** Marks policies, for tools that look for them (GEP-713). */
  policy?: "Direct" | "Inherited";
  /** Bundles that have this kind. Default: every one. */
  in?: Availability;
  versions: readonly VersionDefinition[];
}

/** The sentence with which the Gateway API deprecates an old version of a kind. */
export function deprecation(kind: string, version: string, successor = "v1"): string {
  return `The ${version} version of ${kind} has been deprecated and will be removed in a future release of the API. Please upgrade to ${successor}.`;
}

/** The root of a kind: `fields` beside apiVersion, kind and metadata. */
export function kindObject<const F extends Fields>(
  description: string,
  fields: F,
): Definition<KubeObject & ObjectOf<F>> {
  const own = object(description, fields);
  const bare = (bundle: Bundle): Schema => {
    const schema = own.render(bundle);
    return { ...schema, properties: { ...renderTypeMeta(), ...schema.properties } };
  };
  return new Definition({ ...own.parts, bare });
}

function renderTypeMeta(): Record<string, Schema> {
  return {
    apiVersion: { type: "string", description: "API group and version of this object." },
    kind: { type: "string", description: "Type of this object." },
    // Nothing more may be said of it: Kubernetes refuses a definition that describes what every object has.
    metadata: { type: "object" },
  };
}

/** Pull requests that approved a release's CRDs for the protected k8s.io group (KEP-1111). */
const APPROVALS: Record<BundleVersion, number> = { "v1.4.0": 3328, "v1.6.1": 4530 };

/** The kind's CustomResourceDefinition (apiextensions.k8s.io/v1) in that bundle, without status. */
export function renderCustomResourceDefinition(kind: KindDefinition, bundle: Bundle): KubeObject {
  const { group, plural, namespaced } = kind.resource;
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: {
      name: `${plural}.${group}`,
      ...(kind.policy ? { labels: { "gateway.networking.k8s.io/policy": kind.policy } } : {}),
      annotations: {
        "api-approved.kubernetes.io": `https://github.com/kubernetes-sigs/gateway-api/pull/${APPROVALS[bundle.version]}`,
        "gateway.networking.k8s.io/bundle-version": bundle.version,
        "gateway.networking.k8s.io/channel": bundle.channel,
      },
    },
    spec: {
      group,
      names: renderNames(kind),
      scope: namespaced ? "Namespaced" : "Cluster",
      versions: kind.versions
        .filter((version) => isAvailable(version.in ?? everywhere, bundle))
        .map((version) => renderVersion(version, bundle)),
    },
  };
}

function renderNames({ resource, shortNames }: KindDefinition): Record<string, unknown> {
  return {
    categories: ["gateway-api"],
    kind: resource.kind,
    listKind: `${resource.kind}List`,
    plural: resource.plural,
    ...(shortNames ? { shortNames: [...shortNames] } : {}),
    singular: resource.kind.toLowerCase(),
  };
}

function renderVersion(version: VersionDefinition, bundle: Bundle): Record<string, unknown> {
  const { name, columns, deprecationWarning, subresources } = version;
  return {
    name,
    served: isAvailable(version.served ?? everywhere, bundle),
    storage: isAvailable(version.storage, bundle),
    ...(deprecationWarning === undefined ? {} : { deprecated: true, deprecationWarning }),
    ...(columns ? { additionalPrinterColumns: columns.map((column) => ({ ...column })) } : {}),
    ...(subresources ? { subresources: structuredClone(subresources) } : {}),
    schema: { openAPIV3Schema: version.schema.render(bundle) },
  };
}
