// Objects as typed Go clients send them: bytes written by the encoder of k8s.io/apimachinery v0.35.0, and what they mean.
// The zero values that Go leaves out of JSON are in the bytes, but not in the YAML.

export interface EncodedObject {
  yaml: string;
  /** Base64, in pieces. */
  protobuf: string[];
}

export const deployment: EncodedObject = {
  yaml: `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: demo
  creationTimestamp: "2025-01-02T03:04:05Z"
  generation: 3
  labels: { app: web, empty: "" }
  ownerReferences: [{ apiVersion: v1, kind: ConfigMap, name: owner, uid: u-1, controller: false }]
  managedFields: [{ manager: kubectl, operation: Update, fieldsType: FieldsV1, fieldsV1: { "f:spec": {} } }]
spec:
  replicas: 0
  progressDeadlineSeconds: 0
  selector: {}
  strategy: { type: RollingUpdate, rollingUpdate: { maxSurge: 25%, maxUnavailable: 0 } }
  template:
    metadata: { labels: { app: web } }
    spec:
      automountServiceAccountToken: false
      terminationGracePeriodSeconds: 0
      securityContext: { runAsUser: 0, supplementalGroups: [0, 70000], sysctls: [{ name: a, value: "" }] }
      tolerations: [{ key: gone, operator: Exists, tolerationSeconds: 0 }]
      affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: { topologyKey: host, labelSelector: { matchExpressions: [{ key: app, operator: In, values: [web] }] } } }] } }
      volumes:
        - { name: scratch, emptyDir: {} }
        - { name: settings, configMap: { name: settings, optional: false, items: [{ key: a, path: b, mode: 256 }] } }
        - { name: all, projected: { sources: [{ serviceAccountToken: { path: token, expirationSeconds: 600 } }, { downwardAPI: { items: [{ path: cpu, resourceFieldRef: { resource: limits.cpu, divisor: 1m } }] } }] } }
      containers:
        - name: web
          image: traefik/whoami:v1.10
          args: ["--name", ""]
          ports: [{ name: http, containerPort: 80, protocol: TCP }]
          env:
            - { name: EMPTY }
            - { name: KEY, valueFrom: { configMapKeyRef: { name: settings, key: a, optional: true } } }
            - { name: IP, valueFrom: { fieldRef: { fieldPath: status.podIP } } }
          envFrom: [{ prefix: P_, secretRef: { name: hidden } }]
          resources: { limits: { cpu: 100m, memory: 2Gi }, requests: { cpu: "0" } }
          readinessProbe: { httpGet: { path: /health, port: http, httpHeaders: [{ name: X, value: "1" }] }, periodSeconds: 1 }
          livenessProbe: { tcpSocket: { port: 80 }, terminationGracePeriodSeconds: 0 }
          lifecycle: { preStop: { exec: { command: [sleep, "1"] } } }
          securityContext: { privileged: false, capabilities: { drop: [ALL] } }
          volumeMounts: [{ name: scratch, mountPath: /tmp }]
`,
  protobuf: [
    "azhzAAoVCgdhcHBzL3YxEgpEZXBsb3ltZW50EqYGCogBCgN3ZWISABoEZGVtbyIAKgAyADgDQggIpYTYuwYQAFoKCgNhcHASA3dlYloJCgVlbXB0",
    "eRIAah0KCUNvbmZpZ01hcBoFb3duZXIiA3UtMSoCdjEwAIoBMAoHa3ViZWN0bBIGVXBkYXRlGgAyCEZpZWxkc1YxOg8KDXsiZjpzcGVjIjp7fX1C",
    "ABKKBQgAEgAa1wQKHAoAEgAaACIAKgAyADgAQgBaCgoDYXBwEgN3ZWIStgQKDwoHc2NyYXRjaBIEEgIKAAooCghzZXR0aW5ncxIcmgEZCgoKCHNl",
    "dHRpbmdzEgkKAWESAWIYgAIgAAo7CgNhbGwSNNIBMQoOIgwKABDYBBoFdG9rZW4KHxIdChsKA2NwdRoUCgASCmxpbWl0cy5jcHUaBAoCMW0SzwIK",
    "A3dlYhIUdHJhZWZpay93aG9hbWk6djEuMTAiBi0tbmFtZSIAKgAyEQoEaHR0cBAAGFAiA1RDUCoAOgkKBUVNUFRZEgA6HAoDS0VZEgAaExoRCgoK",
    "CHNldHRpbmdzEgFhGAE6GgoCSVASABoSChAKABIMc3RhdHVzLnBvZElQQiwKDQoDY3B1EgYKBDEwMG0KDwoGbWVtb3J5EgUKAzJHaRIKCgNjcHUS",
    "AwoBMEoVCgdzY3JhdGNoEAAaBC90bXAiADIAUhoKDBoKCgYIABBQGgASABAAGAAgACgAMAA4AFovCiMSIQoHL2hlYWx0aBIKCAEQABoEaHR0cBoA",
    "IgAqBgoBWBIBMRAAGAAgASgAMABiDhIMCgoKBXNsZWVwCgExagByAHoJCgUSA0FMTBAAgAEAiAEAkAEAmgEQCgJQXxoKCggKBmhpZGRlbqIBABoA",
    "IAAyAEIASgBSAFgAYABoAHIPEAAgACDwogQ6BQoBYRIAggEAigEAkgEgGh4SHAgBEhgKEBIOCgNhcHASAkluGgN3ZWIaBGhvc3SaAQCoAQCyARQK",
    "BGdvbmUSBkV4aXN0cxoAIgAoAMIBACIkCg1Sb2xsaW5nVXBkYXRlEhMKBggAEAAaABIJCAEQABoDMjUlKAA4AEgAGgwIABAAGAAgACgAOAAaACIA",
  ],
};

export const customResourceDefinition: EncodedObject = {
  yaml: `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: routes.demo.example.com }
spec:
  group: demo.example.com
  scope: Namespaced
  names: { plural: routes, kind: Route }
  conversion: { strategy: Webhook, webhook: { conversionReviewVersions: [v1], clientConfig: { caBundle: AAEC, service: { name: a, namespace: b, port: 443 } } } }
  versions:
    - name: v1
      served: true
      storage: false
      additionalPrinterColumns: [{ name: Age, type: date, jsonPath: .metadata.creationTimestamp }]
      subresources: { status: {}, scale: { specReplicasPath: .spec.n, statusReplicasPath: .status.n } }
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              required: [count]
              x-kubernetes-validations: [{ rule: self.count > 0 }]
              properties:
                count: { type: integer, minimum: 0, maximum: 2.5, default: 0, maxLength: 0 }
                port: { x-kubernetes-int-or-string: true, anyOf: [{ type: integer }, { type: string }], enum: [80, "http", null] }
                list: { type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [a], items: { type: object, additionalProperties: false } }
                map: { type: object, additionalProperties: { type: string, pattern: "^a$" } }
                any: { type: object, x-kubernetes-preserve-unknown-fields: true, default: { a: [1, null] } }
status: { acceptedNames: { plural: "", kind: "" } }
`,
  protobuf: [
    "azhzAAozChdhcGlleHRlbnNpb25zLms4cy5pby92MRIYQ3VzdG9tUmVzb3VyY2VEZWZpbml0aW9uEsMGCicKF3JvdXRlcy5kZW1vLmV4YW1wbGUu",
    "Y29tEgAaACIAKgAyADgAQgASiQYKEGRlbW8uZXhhbXBsZS5jb20aEwoGcm91dGVzEgAiBVJvdXRlKgAiCk5hbWVzcGFjZWQ6rgUKAnYxEAEYACLX",
    "BArUBAoAEgAiACoGb2JqZWN0MgA6AFAAYAB6AJABAOoBrAQKBHNwZWMSowQKABIAIgAqBm9iamVjdDIAOgBQAGAAegCQAQC6AQVjb3VudOoBQAoD",
    "YW55EjkKABIAIgAqBm9iamVjdDIAOgBCEAoOeyJhIjpbMSxudWxsXX1QAGAAegCQAQCoAgCwAgG4AgDAAgDqAUcKBWNvdW50Ej4KABIAIgAqB2lu",
    "dGVnZXIyADoAQgMKATBJAAAAAAAABEBQAFkAAAAAAAAAAGAAaAB6AJABAKgCALgCAMACAOoBYwoEbGlzdBJbCgASACIAKgVhcnJheTIAOgBQAGAA",
    "egCQAQDCASsKKQoAEgAiACoGb2JqZWN0MgA6AFAAYAB6AJABAPIBAggAqAIAuAIAwAIAqAIAuAIAwAIAygIBYdICA21hcOoBWQoDbWFwElIKABIA",
    "IgAqBm9iamVjdDIAOgBQAGAAegCQAQDyASsIARInCgASACIAKgZzdHJpbmcyADoAUABgAHoDXmEkkAEAqAIAuAIAwAIAqAIAuAIAwAIA6gGLAQoE",
    "cG9ydBKCAQoAEgAiACoAMgA6AFAAYAB6AJABAKIBBAoCODCiAQgKBiJodHRwIqIBANoBJQoAEgAiACoHaW50ZWdlcjIAOgBQAGAAegCQAQCoAgC4",
    "AgDAAgDaASQKABIAIgAqBnN0cmluZzIAOgBQAGAAegCQAQCoAgC4AgDAAgCoAgC4AgDAAgGoAgC4AgDAAgDiAhYKDnNlbGYuY291bnQgPiAwEgAa",
    "ACoAqAIAuAIAwAIAKhgKABIUCgcuc3BlYy5uEgkuc3RhdHVzLm4yLgoDQWdlEgRkYXRlGgAiACgAMhsubWV0YWRhdGEuY3JlYXRpb25UaW1lc3Rh",
    "bXA4AEohCgdXZWJob29rEhYSEAoJCgFiEgFhILsDEgMAAQIaAnYxUAAaDBIICgASACIAKgAgABoAIgA=",
  ],
};

export const lease: EncodedObject = {
  yaml: `
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata: { name: node-1, namespace: kube-node-lease }
spec: { holderIdentity: "", leaseDurationSeconds: 40, acquireTime: "1969-12-31T23:59:59.000001Z", renewTime: "2025-01-02T03:04:05.678900Z" }
`,
  protobuf: [
    "azhzAAofChZjb29yZGluYXRpb24uazhzLmlvL3YxEgVMZWFzZRJLCiUKBm5vZGUtMRIAGg9rdWJlLW5vZGUtbGVhc2UiACoAMgA4AEIAEiIKABAo",
    "Gg4I////////////ARDoByIMCKWE2LsGEKDi3MMCGgAiAA==",
  ],
};

export const endpointSlice: EncodedObject = {
  yaml: `
addressType: IPv4
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: web-1, namespace: demo }
endpoints: []
ports: [{ name: "", port: 80 }]
`,
  protobuf: [
    "azhzAAokChNkaXNjb3ZlcnkuazhzLmlvL3YxEg1FbmRwb2ludFNsaWNlEicKGQoFd2ViLTESABoEZGVtbyIAKgAyADgAQgAaBAoAGFAiBElQdjQa",
    "ACIA",
  ],
};

export const subjectAccessReview: EncodedObject = {
  yaml: `
apiVersion: authorization.k8s.io/v1
kind: SubjectAccessReview
spec: { user: u, extra: { scopes: [a, ""], none: [] }, resourceAttributes: { verb: get, resource: pods } }
status: { allowed: false }
`,
  protobuf: [
    "azhzAAouChdhdXRob3JpemF0aW9uLms4cy5pby92MRITU3ViamVjdEFjY2Vzc1JldmlldxJVChAKABIAGgAiACoAMgA4AEIAEjcKFQoAEgNnZXQa",
    "ACIAKgRwb2RzMgA6ABoBdSoICgRub25lEgAqDwoGc2NvcGVzEgUKAWEKADIAGggIABIAGgAgABoAIgA=",
  ],
};

export const secret: EncodedObject = {
  yaml: `
apiVersion: v1
kind: Secret
metadata: { name: s, namespace: demo }
type: Opaque
immutable: false
data: { empty: "", bytes: AP/+ }
stringData: { __proto__: "1", text: grüß }
`,
  protobuf: [
    "azhzAAoMCgJ2MRIGU2VjcmV0EloKFQoBcxIAGgRkZW1vIgAqADIAOABCABIMCgVieXRlcxIDAP/+EgkKBWVtcHR5EgAaBk9wYXF1ZSIOCglfX3By",
    "b3RvX18SATEiDgoEdGV4dBIGZ3LDvMOfKAAaACIA",
  ],
};
