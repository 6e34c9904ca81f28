// The admission policy that bundles bring along since v1.5.0: no experimental definitions over standard ones, none of old releases.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { Bundle } from "./bundle.ts";
import { GROUP_NAME } from "./names.ts";

const NAME = "safe-upgrades.gateway.networking.k8s.io";
const API_VERSION = "admissionregistration.k8s.io/v1";
const CHANNEL = "gateway.networking.k8s.io/channel";
const VERSION = "gateway.networking.k8s.io/bundle-version";
const UNINSTALL = `Uninstall ValidatingAdmissionPolicy ${NAME} to install`;

const valueOf = (object: string, key: string): string => `${object}.metadata.annotations['${key}']`;
const has = (object: string, key: string): string =>
  `has(${object}.metadata.annotations) && ${object}.metadata.annotations.exists(k, k == '${key}')`;

const isOther = `object.spec.group != '${GROUP_NAME}'`;
const version = valueOf("object", VERSION);

const channelRule = {
  expression:
    `${isOther} || oldObject == null || ( ` +
    `${has("object", CHANNEL)} && ${valueOf("object", CHANNEL)} == 'standard' ) || ( ` +
    `oldObject != null && ${has("oldObject", CHANNEL)} && ${valueOf("oldObject", CHANNEL)} == 'experimental' )`,
  message: `Installing experimental CRDs on top of standard channel CRDs is prohibited by default. ${UNINSTALL} experimental CRDs on top of standard channel CRDs.`,
  reason: "Invalid",
};

const versionRules = {
  standard: {
    expression:
      `${isOther} || (${has("object", VERSION)} && ( ` +
      `matches(${version}, '-(rc)') || ( ` +
      `!matches(${version}, 'v1.[0-5].\\\\d+') && !matches(${version}, 'v0') ) ))`,
    message: `Installing CRDs with version before v1.5.0 is prohibited by default. ${UNINSTALL} older versions.`,
    reason: "Invalid",
  },
  experimental: {
    expression:
      `${isOther} ||\n(${has("object", VERSION)} &&\n` +
      `(${version} == 'v0.0.0-dev' ||\n` +
      `(${version}.startsWith('v1.') &&\n !matches(${version}, '^v1\\\\.[0-4](\\\\.|$)'))))\n`,
    message: `Installing CRDs with version other than v0.0.0-dev or v1.5+ is prohibited by default. ${UNINSTALL} other versions.`,
    reason: "Invalid",
  },
};

const resourceRules = (resource: string): object[] => [
  {
    apiGroups: ["apiextensions.k8s.io"],
    apiVersions: ["v1"],
    operations: ["CREATE", "UPDATE"],
    resources: [resource],
  },
];

/** The policy and its binding, as the release's install files would create them; a fresh tree at each call. v1.4.0 has none. */
export function admissionPolicies(bundle: Bundle): KubeObject[] {
  if (bundle.version === "v1.4.0") return [];
  // Those of the experimental channel say standard too.
  const annotations = (): Record<string, string> => ({ [VERSION]: bundle.version, [CHANNEL]: "standard" });
  const policy = {
    apiVersion: API_VERSION,
    kind: "ValidatingAdmissionPolicy",
    metadata: { annotations: annotations(), name: NAME },
    spec: {
      failurePolicy: "Fail",
      matchConstraints: { resourceRules: resourceRules("*") },
      validations: [{ ...channelRule }, { ...versionRules[bundle.channel] }],
    },
  };
  const binding = {
    apiVersion: API_VERSION,
    kind: "ValidatingAdmissionPolicyBinding",
    metadata: { annotations: annotations(), name: NAME },
    spec: {
      policyName: NAME,
      validationActions: ["Deny"],
      matchResources: { resourceRules: resourceRules("customresourcedefinitions") },
    },
  };
  return [policy, binding];
}
