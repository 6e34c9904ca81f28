// The rules of the Gateway API's definitions: all of them compile, and wrong routes and gateways get the words of their rule.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { Schema, ValidationRule } from "@gatehouse/apimachinery/schema";
import { BUNDLE_VERSIONS, CHANNELS } from "@gatehouse/gateway-api/bundle";
import { customResourceDefinitions } from "@gatehouse/gateway-api/custom-resource-definitions";
import { definitionsOf } from "../crd/definition.ts";
import { applyDefaults } from "../schema/default.ts";
import { validateSchema } from "../schema/validate.ts";
import { validateCrdRules } from "./validate-crd-rules.ts";
import { validateRules } from "./rules.ts";

interface Version {
  schema: { openAPIV3Schema: Schema };
}

function rulesOf(schema: Schema): ValidationRule[] {
  const below = [...Object.values(schema.properties ?? {}), schema.items, schema.additionalProperties];
  const schemas = below.filter((part) => typeof part === "object");
  return [...(schema["x-kubernetes-validations"] ?? []), ...schemas.flatMap(rulesOf)];
}

test("every rule of every bundle compiles", () => {
  const distinct = new Set<string>();
  for (const version of BUNDLE_VERSIONS) {
    for (const channel of CHANNELS) {
      for (const crd of customResourceDefinitions({ version, channel })) {
        for (const { schema } of (crd["spec"] as { versions: Version[] }).versions) {
          for (const { rule } of rulesOf(schema.openAPIV3Schema)) distinct.add(rule);
          assert.deepEqual(validateCrdRules(schema.openAPIV3Schema, crd.metadata.name), []);
        }
      }
    }
  }
  assert.ok(distinct.size > 90, `${distinct.size} rules`);
});

const definitions = customResourceDefinitions({ version: "v1.6.1", channel: "experimental" }).flatMap(definitionsOf);

/** The causes of a new object with this spec, as `field: message`. */
function faults(kind: string, spec: object, old?: object): string[] {
  const { schema } = definitions.find(({ type }) => type.kind === kind) ?? assert.fail(kind);
  const [object, before] = [spec, old].map((part): KubeObject | undefined => {
    if (!part) return undefined;
    const whole: KubeObject = { apiVersion: "", kind, metadata: { name: "x" }, spec: structuredClone(part) };
    applyDefaults(schema, whole);
    return whole;
  });
  assert.deepEqual(validateSchema(schema, object), [], "the form must be right: the rule is what is tested");
  return validateRules(schema, object, before).map(({ field, message }) => `${field}: ${message}`);
}

const path = (value: string, type = "PathPrefix"): object => ({ path: { type, value } });
const redirect = { type: "RequestRedirect", requestRedirect: { statusCode: 302 } };
const rewrite = (pathRewrite: object): object => ({ type: "URLRewrite", urlRewrite: { path: pathRewrite } });
const prefixRewrite = rewrite({ type: "ReplacePrefixMatch", replacePrefixMatch: "/x" });
const backend = { name: "whoami", port: 80 };
const rule = (part: object): object => ({ rules: [part] });
const listener = (name: string, part: object = {}): object => ({ name, port: 80, protocol: "HTTP", ...part });

interface Case {
  kind: string;
  name: string;
  good: object;
  bad: object;
  says: string;
}

const cases: Case[] = [
  {
    kind: "HTTPRoute",
    name: "a redirect has no backend",
    good: rule({ filters: [redirect] }),
    bad: rule({ filters: [redirect], backendRefs: [backend] }),
    says: 'spec.rules[0]: Invalid value: "object": RequestRedirect filter must not be used together with backendRefs',
  },
  {
    kind: "HTTPRoute",
    name: "one redirect at most",
    good: rule({ filters: [redirect] }),
    bad: rule({ filters: [redirect, redirect] }),
    says: 'spec.rules[0].filters: Invalid value: "array": RequestRedirect filter cannot be repeated',
  },
  {
    kind: "HTTPRoute",
    name: "redirect and rewrite exclude each other",
    good: rule({ filters: [rewrite({ type: "ReplaceFullPath", replaceFullPath: "/" })] }),
    bad: rule({ filters: [redirect, rewrite({ type: "ReplaceFullPath", replaceFullPath: "/" })] }),
    says: 'spec.rules[0].filters: Invalid value: "array": May specify either httpRouteFilterRequestRedirect or httpRouteFilterRequestRewrite, but not both',
  },
  {
    kind: "HTTPRoute",
    name: "replacing a prefix needs a prefix",
    good: rule({ matches: [path("/a")], filters: [prefixRewrite] }),
    bad: rule({ matches: [path("/a", "Exact")], filters: [prefixRewrite] }),
    says: 'spec.rules[0]: Invalid value: "object": When using URLRewrite filter with path.replacePrefixMatch, exactly one PathPrefix match must be specified',
  },
  {
    kind: "HTTPRoute",
    name: "replacing a prefix needs one prefix",
    good: rule({ filters: [prefixRewrite] }),
    bad: rule({ matches: [path("/a"), path("/b")], filters: [prefixRewrite] }),
    says: 'spec.rules[0]: Invalid value: "object": When using URLRewrite filter with path.replacePrefixMatch, exactly one PathPrefix match must be specified',
  },
  {
    kind: "HTTPRoute",
    name: "a rewrite's path is of its type",
    good: rule({ filters: [rewrite({ type: "ReplaceFullPath", replaceFullPath: "/x" })] }),
    bad: rule({ filters: [rewrite({ type: "ReplaceFullPath" })] }),
    says: "spec.rules[0].filters[0].urlRewrite.path: Invalid value: \"object\": replaceFullPath must be specified when type is set to 'ReplaceFullPath'",
  },
  {
    kind: "HTTPRoute",
    name: "a filter has the field of its type",
    good: rule({ filters: [{ type: "RequestHeaderModifier", requestHeaderModifier: { remove: ["X-A"] } }] }),
    bad: rule({ filters: [{ type: "RequestHeaderModifier" }] }),
    says: 'spec.rules[0].filters[0]: Invalid value: "object": filter.requestHeaderModifier must be specified for RequestHeaderModifier filter.type',
  },
  {
    kind: "HTTPRoute",
    name: "paths are absolute",
    good: rule({ matches: [path("/a/b%20c")] }),
    bad: rule({ matches: [path("a")] }),
    says: "spec.rules[0].matches[0].path: Invalid value: \"object\": value must be an absolute path and start with '/' when type one of ['Exact', 'PathPrefix']",
  },
  {
    kind: "HTTPRoute",
    name: "paths have no empty segments",
    good: rule({ matches: [path("//", "RegularExpression")] }),
    bad: rule({ matches: [path("/a//b")] }),
    says: "spec.rules[0].matches[0].path: Invalid value: \"object\": must not contain '//' when type one of ['Exact', 'PathPrefix']",
  },
  {
    kind: "HTTPRoute",
    name: "paths have valid characters",
    good: rule({ matches: [path("/[x]", "RegularExpression")] }),
    bad: rule({ matches: [path("/[x]", "Exact")] }),
    says: "spec.rules[0].matches[0].path: Invalid value: \"object\": must only contain valid characters (matching ^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$) for types ['Exact', 'PathPrefix']",
  },
  {
    kind: "HTTPRoute",
    name: "a backend's time is within the request's",
    good: rule({ timeouts: { request: "1s", backendRequest: "900ms" } }),
    bad: rule({ timeouts: { request: "1s", backendRequest: "1001ms" } }),
    says: 'spec.rules[0].timeouts: Invalid value: "object": backendRequest timeout cannot be longer than request timeout',
  },
  {
    kind: "HTTPRoute",
    name: "a Service is referred to by port",
    good: rule({ backendRefs: [{ kind: "Other", group: "example.com", name: "x" }] }),
    bad: rule({ backendRefs: [{ name: "x" }] }),
    says: 'spec.rules[0].backendRefs[0]: Invalid value: "object": Must have port for Service reference',
  },
  {
    kind: "HTTPRoute",
    name: "the same parent twice needs sections",
    good: {
      parentRefs: [
        { name: "a", sectionName: "x" },
        { name: "a", sectionName: "y" },
        { name: "a", namespace: "z" },
      ],
    },
    bad: { parentRefs: [{ name: "a" }, { name: "a", sectionName: "y" }] },
    says: 'spec.parentRefs: Invalid value: "array": sectionName or port must be specified when parentRefs includes 2 or more references to the same parent',
  },
  {
    kind: "HTTPRoute",
    name: "at most 128 matches in all",
    good: {
      rules: Array.from({ length: 2 }, () => ({ matches: Array.from({ length: 64 }, (_, i) => path(`/${i}`)) })),
    },
    bad: { rules: Array.from({ length: 3 }, () => ({ matches: Array.from({ length: 64 }, (_, i) => path(`/${i}`)) })) },
    says: 'spec.rules: Invalid value: "array": While 16 rules and 64 matches per rule are allowed, the total number of matches across all rules in a route must be less than 128',
  },
  {
    kind: "Gateway",
    name: "listeners have names of their own",
    good: { gatewayClassName: "c", listeners: [listener("a"), listener("b", { port: 81 })] },
    bad: { gatewayClassName: "c", listeners: [listener("a"), listener("b")] },
    says: 'spec.listeners: Invalid value: "array": Combination of port, protocol and hostname must be unique for each listener',
  },
  {
    kind: "Gateway",
    name: "plain HTTP has no tls",
    good: { gatewayClassName: "c", listeners: [listener("a")] },
    bad: { gatewayClassName: "c", listeners: [listener("a", { tls: { certificateRefs: [{ name: "x" }] } })] },
    says: "spec.listeners: Invalid value: \"array\": tls must not be specified for protocols ['HTTP', 'TCP', 'UDP']",
  },
  {
    kind: "Gateway",
    name: "terminating needs a certificate",
    good: {
      gatewayClassName: "c",
      listeners: [listener("a", { protocol: "HTTPS", tls: { certificateRefs: [{ name: "x" }] } })],
    },
    bad: { gatewayClassName: "c", listeners: [listener("a", { protocol: "HTTPS", tls: {} })] },
    says: 'spec.listeners[0].tls: Invalid value: "object": no such key: certificateRefs evaluating rule: certificateRefs or options must be specified when mode is Terminate',
  },
  {
    kind: "Gateway",
    name: "labels of the infrastructure are labels",
    good: { gatewayClassName: "c", listeners: [listener("a")], infrastructure: { labels: { "a.b/c": "x" } } },
    bad: { gatewayClassName: "c", listeners: [listener("a")], infrastructure: { labels: { "a b": "x" } } },
    says: 'spec.infrastructure.labels: Invalid value: "object": Label keys must be in the form of an optional DNS subdomain prefix followed by a required name segment of up to 63 characters.',
  },
  {
    kind: "GRPCRoute",
    name: "services have valid names",
    good: rule({ matches: [{ method: { service: "com.Example", method: "Login" } }] }),
    bad: rule({ matches: [{ method: { service: "com/example", method: "Login" } }] }),
    says: 'spec.rules[0].matches[0].method: Invalid value: "object": service must only contain valid characters (matching ^(?i)\\.?[a-z_][a-z_0-9]*(\\.[a-z_][a-z_0-9]*)*$)',
  },
  {
    kind: "GRPCRoute",
    name: "a method match names something",
    good: rule({ matches: [{ method: { service: "a" } }] }),
    bad: rule({ matches: [{ method: { type: "Exact" } }] }),
    says: "spec.rules[0].matches[0].method: Invalid value: \"object\": One or both of 'service' or 'method' must be specified",
  },
  {
    kind: "TLSRoute",
    name: "hostnames are no addresses",
    good: { hostnames: ["*.example.com", "a.example.com"], rules: [{ backendRefs: [backend] }] },
    bad: { hostnames: ["1.2.3.4"], rules: [{ backendRefs: [backend] }] },
    says: 'spec.hostnames: Invalid value: "array": Hostnames cannot contain an IP',
  },
  {
    kind: "BackendTLSPolicy",
    name: "authorities come from one place",
    good: {
      targetRefs: [{ group: "", kind: "Service", name: "x" }],
      validation: { hostname: "a.b", wellKnownCACertificates: "System" },
    },
    bad: { targetRefs: [{ group: "", kind: "Service", name: "x" }], validation: { hostname: "a.b" } },
    says: 'spec.validation: Invalid value: "object": must specify either CACertificateRefs or WellKnownCACertificates',
  },
];

describe("what the rules say", () => {
  for (const { kind, name, good, bad, says } of cases) {
    test(`${kind}: ${name}`, () => {
      assert.deepEqual(faults(kind, good), []);
      const found = faults(kind, bad);
      assert.ok(found.includes(says), `wanted ${says}\nfound ${found.join("\n")}`);
    });
  }

  test("GatewayClass: the controller's name stays", () => {
    const [one, other] = [{ controllerName: "example.com/one" }, { controllerName: "example.com/other" }];
    assert.deepEqual(faults("GatewayClass", one), []);
    assert.deepEqual(faults("GatewayClass", { ...one, description: "new" }, one), []);
    assert.deepEqual(faults("GatewayClass", other, one), [
      'spec.controllerName: Invalid value: "string": Value is immutable',
    ]);
  });
});
