// kubectl: everything that only looks.

import { type Group, refusal, row } from "./rows.ts";

const objects = `apiVersion: apps/v1
kind: Deployment
metadata: { name: web, labels: { tier: front } }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: main, image: traefik/whoami, ports: [{ containerPort: 80 }] }] }
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ port: 80 }] }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: one, labels: { tier: front, set: a } }
data: { key: value }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: two, labels: { tier: back } }
data: { key: other, more: text }
---
apiVersion: v1
kind: Secret
metadata: { name: hidden }
stringData: { password: hunter2 }
`;

export const reading: Group[] = [
  {
    client: "kubectl 1.32",
    title: "get",
    files: { "objects.yaml": objects },
    rows: [
      row("kubectl apply -f objects.yaml", "several kinds from one file", /secret\/hidden created/),
      row("kubectl rollout status deployment web", "return once the pods are ready", /successfully rolled out/),
      row("kubectl get pods", "kubectl's columns", /NAME +READY +STATUS +RESTARTS +AGE\nweb-\S+ +1\/1 +Running/),
      row(
        "kubectl get deploy,svc,cm -o wide",
        "several kinds, wide columns",
        /CONTAINERS +IMAGES +SELECTOR[^]*service\/web +ClusterIP/,
      ),
      row(
        "kubectl get all",
        "the usual kinds",
        /pod\/web[^]*service\/web[^]*deployment.apps\/web[^]*replicaset.apps\/web/,
      ),
      row(
        "kubectl get cm one -o yaml",
        "the object with its metadata",
        /apiVersion: v1\ndata:\n {2}key: value\nkind: ConfigMap[^]*uid: /,
      ),
      row("kubectl get cm one -o json", "JSON", /"kind": "ConfigMap"/),
      row("kubectl get cm -o name", "names", /^configmap\/kube-root-ca\.crt\nconfigmap\/one\nconfigmap\/two\n$/),
      row("kubectl get cm one -o jsonpath='{.data.key}'", "a JSONPath", /^value$/),
      row("kubectl get cm one -o go-template='{{.data.key}}'", "a Go template", /^value$/),
      row("kubectl get cm -o custom-columns=N:.metadata.name,K:.data.key", "columns of one's own", /two +other/),
      row(
        "kubectl get cm one -o yaml --show-managed-fields",
        "who set which field",
        /manager: kubectl-client-side-apply/,
      ),
      row("kubectl get cm --show-labels --no-headers", "labels", /set=a,tier=front/),
      row("kubectl get cm -L tier --sort-by=.metadata.creationTimestamp", "a label column, sorted", /TIER\n[^]*front/),
      row("kubectl get cm -l 'tier in (front),set' -o name", "a set-based label selector", /^configmap\/one\n$/),
      row("kubectl get cm -l 'tier,tier!=front' -o name", "labels present and unequal", /^configmap\/two\n$/),
      row("kubectl get cm --field-selector metadata.name!=one -o name", "a field selector", /^(?!.*\/one)[^]*two/),
      row(
        "kubectl get pods --field-selector status.phase=Running,spec.nodeName!=nobody -o name",
        "fields of pods",
        /pod\/web/,
      ),
      row("kubectl get secrets --field-selector type=Opaque -o name", "the type of Secrets", /secret\/hidden/),
      row(
        "kubectl get cm --field-selector data.key=value",
        "refuse a field nobody can select",
        /"data\.key" is not a known field selector: only "metadata\.name", "metadata\.namespace"/,
        1,
      ),
      row("kubectl get cm --chunk-size=1 -o name", "pages of one", /kube-root[^]*one\n[^]*two/),
      row("kubectl get cm -A -o name", "every namespace", /(configmap\/kube-root-ca\.crt\n[^]*){4}/),
      row(
        "kubectl get cm one nobody",
        "say what is missing, show the rest",
        /one +1[^]*configmaps "nobody" not found/,
        1,
      ),
      row("kubectl get nothings", "name the unknown kind", /the server doesn't have a resource type "nothings"/, 1),
      row("kubectl get pods nobody --ignore-not-found", "nothing", /^$/),
      row(
        "touch seen; kubectl get cm one -w > seen & until grep one seen; do sleep 0.1; done; kubectl label cm one seen=1; until [ $(grep -c one seen) = 2 ]; do sleep 0.1; done; kill %1",
        "the state, then each change as it comes",
        /configmap\/one labeled\n$/,
      ),
      row(
        "touch changes; kubectl get cm --watch-only --output-watch-events > changes & sleep 1; until [ -s changes ]; do kubectl annotate cm two n=$RANDOM --overwrite; sleep 0.2; done; kill %1; cat changes",
        "changes alone, with their sort",
        /MODIFIED +two +2/,
      ),
      row("kubectl get --raw /api/v1/namespaces/default | cut -c1-40", "a path as it is", /"kind":"Namespace"/),
      row("kubectl get --raw '/readyz?verbose'", "each check by name", /\[\+\]ping ok[^]*readyz check passed/),
      refusal(
        "kubectl get componentstatuses",
        "the deprecated kind is not there",
        /(the server doesn't have a resource type "componentstatuses")/,
      ),
      row("kubectl get hpa,pdb,netpol", "kinds that are kept and not acted on", /No resources found/),
    ],
  },
  {
    client: "kubectl 1.32",
    title: "describe, explain and discovery",
    files: { "objects.yaml": objects },
    rows: [
      row("kubectl apply -f objects.yaml && kubectl rollout status deployment web", "ready", /successfully rolled out/),
      row(
        "kubectl describe $(kubectl get pods -l app=web -o name | head -1)",
        "state, conditions and events",
        /Status: +Running[^]*Conditions:[^]*Events:\n[^]*Scheduled/,
      ),
      row(
        "kubectl describe deployment web",
        "replicas and events",
        /2 desired \| 2 updated \| 2 total[^]*ScalingReplicaSet/,
      ),
      row("kubectl describe rs", "its owner", /Controlled By: +Deployment\/web/),
      row("kubectl describe service web", "endpoints", /Endpoints: +127\.\S+:80/),
      row("kubectl describe cm one", "data", /key:\n----\nvalue/),
      row("kubectl describe secret hidden", "sizes, no values", /password: +7 bytes/),
      row("kubectl describe node", "capacity and pods", /Roles:[^]*Conditions:[^]*Non-terminated Pods:/),
      row("kubectl describe namespace default", "status", /Status: +Active/),
      row("kubectl describe sa default", "tokens", /Name: +default/),
      row("kubectl describe endpointslices", "addresses", /AddressType: +IPv4/),
      row(
        "kubectl describe crd httproutes.gateway.networking.k8s.io",
        "a definition",
        /Kind: +CustomResourceDefinition/,
      ),
      row(
        "kubectl describe gateway -n traefik",
        "a custom resource with its status",
        /Listeners:[^]*Conditions:[^]*Programmed/,
      ),
      row("kubectl describe clusterrole view | head -30", "rules", /PolicyRule:/),
      row("kubectl describe lease -n kube-node-lease", "a Lease", /Renew Time:/),
      row(
        "kubectl explain pod.spec.containers.ports",
        "the field's text",
        /FIELDS:\n[^]*containerPort\t<integer> -required-/,
      ),
      row("kubectl explain httproute.spec.rules --recursive", "a custom kind's tree", /backendRefs\t<\[\]Object>/),
      row(
        "kubectl explain deployment --output=plaintext-openapiv2",
        "the old form, from OpenAPI v2",
        /KIND: +Deployment/,
      ),
      row(
        "kubectl api-resources",
        "every kind",
        /configmaps +cm +v1 +true +ConfigMap[^]*httproutes +gateway\.networking/,
      ),
      row(
        "kubectl api-resources --namespaced=false --verbs=list,watch -o name",
        "a choice of them",
        /^(?![^]*configmaps)[^]*nodes\n/,
      ),
      row(
        "kubectl api-resources --api-group=gateway.networking.k8s.io --categories=gateway-api -o wide",
        "one group",
        /httproutes/,
      ),
      row("kubectl api-versions", "group versions", /apps\/v1\n[^]*gateway\.networking\.k8s\.io\/v1\n[^]*v1\n$/),
      row("kubectl version", "both versions", /Client Version: \S+[^]*Server Version: v1\.\d+/),
      row("kubectl cluster-info", "where it is", /control plane.* is running at .*https:\/\/127\.0\.0\.1/),
      refusal(
        "kubectl cluster-info dump",
        "it reads every ReplicationController",
        /(Error from server \(NotFound\).*)/,
      ),
      row("kubectl events --for deployment/web", "events of an object", /ScalingReplicaSet/),
      row("kubectl events --types=Warning,Normal", "events by type", /Normal +ScalingReplicaSet/),
      row("kubectl get events --field-selector involvedObject.kind=ReplicaSet", "events by field", /SuccessfulCreate/),
      row("kubectl config current-context && kubectl config view --minify", "the context", /gatehouse[^]*kind: Config/),
    ],
  },
];
