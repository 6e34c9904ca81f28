// BackendTLSPolicy: the gateway speaks TLS to a Service, and how it checks the Service's certificate.

import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import { experimental } from "./bundle.ts";
import { ageColumn, deprecation, kindObject, type KindDefinition } from "./kind-definition.ts";
import { GROUP_NAME, hostname, options, preciseHostname, SUBDOMAIN } from "./names.ts";
import { policyStatus } from "./policy.ts";
import { localObjectReference, policyTargetReference, targetRefsRules } from "./references.ts";
import { atomicList, enumeration, type Infer, object, rule, string } from "./schema-builder.ts";

const nameMemberRules = (member: string, type: string, title: string) => [
  rule(
    `SubjectAltName element must contain ${title}, if Type is set to ${title}`,
    `!(self.type == "${type}" && (!has(self.${member}) || self.${member} == ""))`,
  ),
  rule(
    `SubjectAltName element must not contain ${title}, if Type is not set to ${title}`,
    `!(self.type != "${type}" && has(self.${member}) && self.${member} != "")`,
  ),
];

const subjectAltName = object("A name the certificate must carry.", {
  type: enumeration("Which member holds the name.", ["Hostname", "URI"]),
  hostname: hostname("A DNS name, perhaps with * as its first label.").optional(),
  // RFC 3986 appendix B, with scheme and authority required.
  uri: string("An absolute URI, e.g. a SPIFFE ID.", {
    minLength: 1,
    maxLength: 253,
    pattern: "^(([^:/?#]+):)(//([^/?#]*))([^?#]*)(\\?([^#]*))?(#(.*))?",
  }).optional(),
}).rules(...nameMemberRules("hostname", "Hostname", "Hostname"), ...nameMemberRules("uri", "URI", "URI"));
export type SubjectAltName = Infer<typeof subjectAltName>;

// A closed list before v1.6.1, which lets implementations add sets of their own.
const wellKnownCACertificates = string(
  "Trust this well-known set of authorities: System, or a set of the implementation.",
)
  .when({ until: "v1.6.1" }, { enum: ["System"] })
  .when(
    { since: "v1.6.1" },
    {
      minLength: 1,
      maxLength: 253,
      pattern: `^(System|(${SUBDOMAIN}/([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]))$`,
    },
  );

const hasRefs = "has(self.caCertificateRefs) && size(self.caCertificateRefs) > 0";
const hasWellKnown = 'has(self.wellKnownCACertificates) && self.wellKnownCACertificates != ""';

export const backendTLSValidation = object("How the backend's certificate is checked.", {
  hostname: preciseHostname("Name sent as SNI, and expected in the certificate unless subjectAltNames are given."),
  caCertificateRefs: atomicList("ConfigMaps whose `ca.crt` holds the trusted authorities.", localObjectReference, {
    maxItems: 8,
  }).optional(),
  wellKnownCACertificates: wellKnownCACertificates.optional(),
  subjectAltNames: atomicList("Names of which the certificate must carry one.", subjectAltName, {
    maxItems: 5,
  }).optional(),
}).rules(
  rule("must not contain both CACertificateRefs and WellKnownCACertificates", `!(${hasRefs} && ${hasWellKnown})`),
  rule("must specify either CACertificateRefs or WellKnownCACertificates", `(${hasRefs} || ${hasWellKnown})`),
);
export type BackendTLSPolicyValidation = Infer<typeof backendTLSValidation>;

const spec = object("Which backends, and how.", {
  targetRefs: atomicList("Services, or single ports of them, the policy applies to.", policyTargetReference, {
    minItems: 1,
    maxItems: 16,
  }).rules(...targetRefsRules),
  validation: backendTLSValidation,
  options: options("Implementation-specific TLS settings by domain-prefixed name.").optional(),
});
export type BackendTLSPolicySpec = Infer<typeof spec>;

export const backendTLSPolicy = kindObject("Makes the connection from a Gateway to a Service use TLS.", {
  spec,
  status: policyStatus.optional(),
});
export interface BackendTLSPolicy extends Infer<typeof backendTLSPolicy> {}

export const backendTLSPolicies: ResourceType<BackendTLSPolicy> = {
  group: GROUP_NAME,
  version: "v1",
  plural: "backendtlspolicies",
  kind: "BackendTLSPolicy",
  namespaced: true,
};

const v1alpha3 = {
  name: "v1alpha3",
  schema: backendTLSPolicy,
  served: [experimental],
  storage: [],
  deprecationWarning: deprecation("BackendTLSPolicy", "v1alpha3"),
};

export const backendTLSPolicyKind: KindDefinition = {
  resource: backendTLSPolicies,
  shortNames: ["btlspolicy"],
  policy: "Direct",
  versions: [
    {
      name: "v1",
      schema: backendTLSPolicy,
      storage: [{}],
      columns: [ageColumn],
      subresources: { status: {} },
    },
    { ...v1alpha3, in: [{ until: "v1.6.1" }] },
    { ...v1alpha3, in: [{ since: "v1.6.1" }], subresources: { status: {} } },
  ],
};
