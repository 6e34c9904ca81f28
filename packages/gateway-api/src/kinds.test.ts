// Compile-time: what the inferred types of the kinds accept and refuse. A broken type fails the type check, not the run.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Condition as MetaCondition, KubeObject } from "@gatehouse/apimachinery/meta";
import { apiVersionOf, type ResourceType, resourcePath } from "@gatehouse/apimachinery/resource-type";
import { type BackendTLSPolicy, backendTLSPolicies } from "./backend-tls-policy.ts";
import type { Condition } from "./condition.ts";
import type { RouteConditionReason, RouteConditionType } from "./condition-reasons.ts";
import { type Gateway, gateways } from "./gateway.ts";
import { type GatewayClass, gatewayClasses } from "./gateway-class.ts";
import { type GRPCRoute, grpcRoutes } from "./grpc-route.ts";
import type { HTTPRouteFilter } from "./http-filters.ts";
import { type HTTPRoute, type HTTPRouteMatch, httpRoutes } from "./http-route.ts";
import { type ReferenceGrant, referenceGrants } from "./reference-grant.ts";

const metadata = { name: "whoami-path", namespace: "demo" };

const route: HTTPRoute = {
  apiVersion: "gateway.networking.k8s.io/v1",
  kind: "HTTPRoute",
  metadata,
  spec: {
    parentRefs: [{ name: "traefik-gateway", namespace: "traefik", sectionName: "web" }],
    hostnames: ["demo.localhost"],
    rules: [
      {
        matches: [{ path: { type: "PathPrefix", value: "/v1" }, method: "GET" }],
        filters: [{ type: "RequestRedirect", requestRedirect: { scheme: "https", statusCode: 301 } }],
        backendRefs: [{ name: "whoami-v1", port: 80, weight: 1 }],
        timeouts: { request: "10s" },
      },
    ],
  },
};

test("kinds are objects, resource types know their kind, conditions are conditions", () => {
  const object: KubeObject = route;
  const types: [
    ResourceType<GatewayClass>,
    ResourceType<Gateway>,
    ResourceType<HTTPRoute>,
    ResourceType<GRPCRoute>,
    ResourceType<ReferenceGrant>,
    ResourceType<BackendTLSPolicy>,
  ] = [gatewayClasses, gateways, httpRoutes, grpcRoutes, referenceGrants, backendTLSPolicies];
  assert.deepEqual(
    types.map((type) => `${apiVersionOf(type)} ${type.kind}`),
    [
      "gateway.networking.k8s.io/v1 GatewayClass",
      "gateway.networking.k8s.io/v1 Gateway",
      "gateway.networking.k8s.io/v1 HTTPRoute",
      "gateway.networking.k8s.io/v1 GRPCRoute",
      "gateway.networking.k8s.io/v1beta1 ReferenceGrant",
      "gateway.networking.k8s.io/v1 BackendTLSPolicy",
    ],
  );
  assert.equal(
    resourcePath(httpRoutes, "demo", object.metadata.name, "status"),
    "/apis/gateway.networking.k8s.io/v1/namespaces/demo/httproutes/whoami-path/status",
  );
  const both: (condition: Condition) => MetaCondition = (condition) => condition;
  const back: (condition: MetaCondition) => Condition = (condition) => condition;
  assert.deepEqual([typeof both, typeof back], ["function", "function"]);
});

test("members are typed where they are used", () => {
  const names: (string | undefined)[] = (route.spec.rules ?? []).flatMap((rule) =>
    (rule.backendRefs ?? []).map((backend) => backend.name),
  );
  const pathType: "Exact" | "PathPrefix" | "RegularExpression" | undefined =
    route.spec.rules?.[0]?.matches?.[0]?.path?.type;
  const status: HTTPRoute["status"] = {
    parents: [
      {
        parentRef: { name: "traefik-gateway" },
        controllerName: "traefik.io/gateway-controller",
        conditions: [
          {
            type: "ResolvedRefs" satisfies RouteConditionType,
            status: "False",
            reason: "BackendNotFound" satisfies RouteConditionReason,
            message: "Service demo/whoami-v3 does not exist",
            lastTransitionTime: "2026-01-01T00:00:00Z",
          },
        ],
      },
    ],
  };
  assert.deepEqual([names, pathType, status.parents.length], [["whoami-v1"], "PathPrefix", 1]);
});

test("mistakes do not compile", () => {
  // @ts-expect-error: no such way to compare paths
  const glob: HTTPRouteMatch = { path: { type: "Glob", value: "/" } };
  // @ts-expect-error: a filter needs its type
  const untyped: HTTPRouteFilter = { urlRewrite: { hostname: "a" } };
  // @ts-expect-error: a backend needs a name
  const nameless: HTTPRoute["spec"] = { rules: [{ backendRefs: [{ port: 80 }] }] };
  // @ts-expect-error: a Gateway needs listeners
  const deaf: Gateway["spec"] = { gatewayClassName: "traefik" };
  // @ts-expect-error: not a reason of the specification
  const reason: RouteConditionReason = "BackendMissing";
  // @ts-expect-error: the resource type of another kind
  const wrongType: ResourceType<Gateway> = httpRoutes;
  assert.equal([glob, untyped, nameless, deaf, reason, wrongType].length, 6);
});
