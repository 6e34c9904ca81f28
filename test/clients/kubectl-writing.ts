// kubectl: making, changing and removing objects.

import { type Group, refusal, row } from "./rows.ts";

const settings = (value: string): string => `apiVersion: v1
kind: ConfigMap
metadata: { name: settings, labels: { pruned: "yes" } }
data: { key: ${value} }
`;

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 1
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: main, image: traefik/whoami, env: [{ name: A, value: "1" }] }] }
`;

const editor = `#!/bin/sh
sed -i 's/key: .*/key: edited/' "$1"
`;

const reconciled = `apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: reconciled, namespace: $NAMESPACE }
rules: [{ apiGroups: [""], resources: [pods], verbs: [get] }]
`;

export const writing: Group[] = [
  {
    client: "kubectl 1.32",
    title: "create, run and expose",
    rows: [
      row(
        "kubectl create namespace made-by-create --dry-run=server -o name",
        "a rehearsal",
        /^namespace\/made-by-create\n$/,
      ),
      row(
        "kubectl create configmap c --from-literal=a=1 --from-file=b=/etc/hostname",
        "data from both",
        /configmap\/c created/,
      ),
      row("kubectl create configmap c --from-literal=a=1", "a name that is taken", /configmaps "c" already exists/, 1),
      row("kubectl create secret generic s --from-literal=p=x", "an Opaque Secret", /secret\/s created/),
      row(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=a -keyout k -out c 2>&- && kubectl create secret tls t --cert=c --key=k",
        "a TLS Secret",
        /secret\/t created/,
      ),
      row(
        "kubectl create secret docker-registry d --docker-server=r.example --docker-username=u --docker-password=p",
        "a registry's Secret",
        /secret\/d created/,
      ),
      row("kubectl create serviceaccount robot", "a ServiceAccount", /serviceaccount\/robot created/),
      row("kubectl create token robot --duration=10m --audience=x", "a signed token", /^ey[\w-]+\.[\w-]+\.[\w-]+\s*$/),
      row(
        "kubectl create role r --verb=get,list --resource=pods,deployments.apps",
        "a Role",
        /role.rbac.authorization.k8s.io\/r created/,
      ),
      row(
        "kubectl create rolebinding rb --role=r --serviceaccount=default:robot",
        "a RoleBinding",
        /rolebinding.rbac.authorization.k8s.io\/rb created/,
      ),
      row(
        "kubectl create clusterrole compat-cr --verb=get --non-resource-url=/metrics",
        "a ClusterRole",
        /compat-cr created/,
      ),
      row(
        "kubectl create clusterrolebinding compat-crb --clusterrole=compat-cr --user=u",
        "a ClusterRoleBinding",
        /compat-crb created/,
      ),
      row("kubectl delete clusterrole/compat-cr clusterrolebinding/compat-crb", "both gone", /"compat-crb" deleted/),
      row(
        "kubectl create deployment web --image=traefik/whoami --replicas=2 --port=80",
        "a Deployment",
        /deployment.apps\/web created/,
      ),
      row("kubectl create service clusterip svc --tcp=80:80", "a Service", /service\/svc created/),
      row("kubectl create service nodeport np --tcp=80", "a NodePort Service", /service\/np created/),
      row("kubectl create service loadbalancer lb --tcp=8099:80", "a LoadBalancer Service", /service\/lb created/),
      row(
        "kubectl create service externalname en --external-name=a.example",
        "an ExternalName Service",
        /service\/en created/,
      ),
      row("kubectl create ingress i --rule=a.example/*=svc:80", "an Ingress", /ingress.networking.k8s.io\/i created/),
      refusal("kubectl create quota q --hard=pods=3", "name what is not there", /(.*ResourceQuota.*)/),
      row("kubectl create job j --image=traefik/whoami", "a Job", /job.batch\/j created/),
      row(
        "kubectl create cronjob cj --image=traefik/whoami --schedule='0 0 1 1 *'",
        "a CronJob",
        /cronjob.batch\/cj created/,
      ),
      row(
        "kubectl create pdb p --selector=app=web --min-available=1",
        "a PodDisruptionBudget",
        /poddisruptionbudget.policy\/p created/,
      ),
      row(
        "kubectl create priorityclass compat-pc --value=1 && kubectl delete priorityclass compat-pc",
        "a PriorityClass",
        /compat-pc created/,
      ),
      row(
        "kubectl run one --image=traefik/whoami --port=80 --labels=a=b --env=X=1 && kubectl wait --for=condition=Ready pod/one",
        "a pod that runs",
        /pod\/one condition met/,
      ),
      row("kubectl expose pod one --port=80 --name=exposed", "a Service for it", /service\/exposed exposed/),
      row("kubectl expose deployment web --type=NodePort", "a Service from its ports", /service\/web exposed/),
      refusal(
        "kubectl autoscale deployment web --max=3",
        "name the version that is there",
        /(Error from server.*autoscaling\/v2)/,
      ),
    ],
  },
  {
    client: "kubectl 1.32",
    title: "apply, diff, edit, patch and replace",
    files: {
      "one.yaml": settings("one"),
      "two.yaml": settings("two"),
      "deployment.yaml": deployment,
      "wrong.yaml": deployment.replace("replicas: 1", "replicas: many"),
      "unknown.yaml": deployment.replace("replicas: 1", "replica: 1"),
      "editor.sh": editor,
      "role.yaml": reconciled,
      "kustomization.yaml": "resources: [one.yaml]\nnamePrefix: kustomized-\ncommonLabels: { from: kustomize }\n",
    },
    rows: [
      row("kubectl apply -f one.yaml", "made", /configmap\/settings created/),
      row("kubectl apply -f one.yaml", "left alone", /configmap\/settings unchanged/),
      row("kubectl apply -f two.yaml --dry-run=client", "a rehearsal by kubectl", /configured \(dry run\)/),
      row("kubectl apply -f two.yaml --dry-run=server", "a rehearsal by the server", /configured \(server dry run\)/),
      row("kubectl diff -f two.yaml", "the difference, exit code 1", /-  key: one\n\+  key: two/, 1),
      row("kubectl apply -f two.yaml", "changed", /configmap\/settings configured/),
      row("kubectl apply -f wrong.yaml", "the field and the fault", /spec\.replicas/, 1),
      row("kubectl apply -f unknown.yaml", "the unknown field", /unknown field "spec\.replica"/, 1),
      row(
        "kubectl apply -f unknown.yaml --validate=warn --dry-run=server",
        "a warning",
        /Warning: unknown field "spec\.replica"/,
      ),
      row("kubectl apply -f deployment.yaml", "made", /deployment.apps\/web created/),
      row("kubectl apply view-last-applied deployment web", "what was applied last", /name: A/),
      row(
        "kubectl create configmap pruned && kubectl label cm pruned pruned=yes && kubectl annotate cm pruned kubectl.kubernetes.io/last-applied-configuration={}",
        "a candidate",
        /annotated/,
      ),
      row(
        "kubectl apply -f two.yaml --prune -l pruned=yes --prune-allowlist=core/v1/ConfigMap",
        "what is no longer said goes",
        /configmap\/pruned pruned/,
      ),
      row(
        "kubectl apply set-last-applied -f one.yaml --create-annotation",
        "the annotation alone",
        /configmap\/settings configured/,
      ),
      row(
        "kubectl apply --server-side -f one.yaml --field-manager=other",
        "a conflict with its owner",
        /conflict with "kubectl-client-side-apply"[^]*\.data\.key/,
        1,
      ),
      row(
        "kubectl apply --server-side -f one.yaml --field-manager=other --force-conflicts",
        "taken over",
        /serverside-applied/,
      ),
      row(
        "kubectl apply --server-side -f two.yaml --field-manager=other --dry-run=server -o jsonpath='{.data.key}'",
        "a rehearsal",
        /^two$/,
      ),
      row("kubectl apply -k .", "what kustomize makes", /configmap\/kustomized-settings created/),
      row("kubectl kustomize .", "the same as text", /from: kustomize/),
      row("kubectl delete -k .", "removed", /"kustomized-settings" deleted/),
      row(
        "chmod +x editor.sh; EDITOR=./editor.sh kubectl edit cm settings",
        "what the editor wrote",
        /configmap\/settings edited/,
      ),
      row("EDITOR=true kubectl edit cm settings", "nothing", /Edit cancelled, no changes made/),
      row("EDITOR=./editor.sh kubectl edit cm settings --output-patch", "nothing more to do", /cancelled/),
      row(
        `kubectl patch deployment web -p '{"spec":{"template":{"spec":{"containers":[{"name":"main","env":[{"name":"B","value":"2"}]}]}}}}'`,
        "strategic merge: lists by key",
        /deployment.apps\/web patched/,
      ),
      row(
        "kubectl get deployment web -o jsonpath='{.spec.template.spec.containers[0].env[*].name}'",
        "both variables",
        /^B A$|^A B$/,
      ),
      row(`kubectl patch deployment web --type=merge -p '{"metadata":{"labels":{"a":"b"}}}'`, "merge patch", /patched/),
      row(
        `kubectl patch deployment web --type=json -p '[{"op":"test","path":"/metadata/labels/a","value":"b"},{"op":"remove","path":"/metadata/labels/a"}]'`,
        "JSON patch with a test",
        /patched/,
      ),
      row(
        `kubectl patch deployment web --type=json -p '[{"op":"test","path":"/metadata/name","value":"b"}]'`,
        "a test that fails",
        /(failed|test)/i,
        1,
      ),
      row(
        `kubectl patch deployment web --subresource=scale --type=merge -p '{"spec":{"replicas":0}}'`,
        "a subresource",
        /scale.autoscaling\/web patched|deployment.apps\/web patched/,
      ),
      row(
        "kubectl get deployment web --subresource=status -o name && kubectl get deployment web --subresource=scale",
        "subresources read",
        /web/,
      ),
      row(
        `kubectl patch gateway traefik-gateway -n traefik --type=strategic -p '{"metadata":{"labels":{"a":"b"}}}'`,
        "no strategic merge for custom kinds",
        /strategic[^]*not supported|cannot|unsupported|strategic-merge-patch/i,
        1,
      ),
      row("kubectl replace -f one.yaml", "the whole object", /configmap\/settings replaced/),
      row("kubectl replace --force -f one.yaml", "deleted and made again", /deleted[^]*configmap\/settings replaced/),
      row(
        "kubectl label cm settings a=1 && kubectl label cm settings a=2",
        "refuse to overwrite",
        /already has a value \(1\), and --overwrite is false/,
        1,
      ),
      row(
        "kubectl label cm settings a=2 --overwrite && kubectl label cm settings a-",
        "overwritten, taken away",
        /unlabeled/,
      ),
      row(
        "kubectl annotate cm settings note='a text' && kubectl annotate cm --all note-",
        "annotations",
        /settings annotated/,
      ),
      row("kubectl set image deployment/web main=traefik/whoami:v1.11", "the image", /image updated/),
      row("kubectl set env deployment/web C=3 A-", "variables", /env updated/),
      row("kubectl set env deployment/web --list", "variables listed", /C=3/),
      row(
        "kubectl set resources deployment/web --limits=cpu=200m,memory=64Mi",
        "resources",
        /resource requirements updated/,
      ),
      row(
        "kubectl create serviceaccount robot && kubectl set serviceaccount deployment web robot",
        "the account",
        /serviceaccount updated/,
      ),
      row(
        "kubectl create service clusterip svc --tcp=80 && kubectl set selector service svc app=web",
        "the selector",
        /selector updated/,
      ),
      row(
        "kubectl create rolebinding rb --clusterrole=view --user=a && kubectl set subject rolebinding rb --user=b",
        "the subjects",
        /subjects updated/,
      ),
      row(
        "sed s/.NAMESPACE/$NAMESPACE/ role.yaml | kubectl auth reconcile -f -",
        "rules brought in line",
        /reconciled/,
      ),
    ],
  },
  {
    client: "kubectl 1.32",
    title: "delete and wait",
    files: { "deployment.yaml": deployment },
    rows: [
      row(
        "kubectl apply -f deployment.yaml && kubectl wait --for=condition=Available deployment/web",
        "return once it is available",
        /condition met/,
      ),
      row(
        "kubectl wait --for=jsonpath='{.status.readyReplicas}'=1 deployment/web",
        "a value of the status",
        /condition met/,
      ),
      row(
        "kubectl wait --for=condition=Nothing deployment/web --timeout=1s",
        "give up in time",
        /timed out waiting for the condition/,
        1,
      ),
      row(
        "(sleep 1; kubectl create configmap late) & kubectl wait --for=create cm/late; wait",
        "an object that comes later",
        /condition met/,
      ),
      row(
        "(sleep 1; kubectl delete cm late) & kubectl wait --for=delete cm/late; wait",
        "an object that goes",
        /condition met/,
      ),
      row(
        "kubectl delete deployment web --cascade=orphan && kubectl get rs -l app=web -o name",
        "dependents stay",
        /replicaset.apps\/web-/,
      ),
      row(
        "kubectl apply -f deployment.yaml && kubectl rollout status deployment web && kubectl get rs -o name | wc -l",
        "and are adopted",
        /\n1\n/,
      ),
      row(
        "kubectl delete deployment web --cascade=foreground && kubectl get rs,pods -l app=web",
        "dependents first",
        /No resources found/,
      ),
      row(
        "kubectl apply -f deployment.yaml && kubectl rollout status deployment web && kubectl delete -f deployment.yaml && kubectl wait --for=delete pod -l app=web",
        "dependents after it",
        /deleted/,
      ),
      row("kubectl run p --image=traefik/whoami && kubectl delete pod p --now", "a second's grace", /deleted/),
      row(
        "kubectl run p --image=traefik/whoami && kubectl delete pod p --force --grace-period=0",
        "at once",
        /force deleted/,
      ),
      row(
        "kubectl run p --image=traefik/whoami && kubectl delete pod p --wait=false && kubectl wait --for=delete pod/p",
        "kubectl does not wait",
        /deleted/,
      ),
      row(
        "kubectl delete cm kube-root-ca.crt --dry-run=server && kubectl get cm -o name",
        "a rehearsal",
        /server dry run[^]*kube-root-ca/,
      ),
      row(
        "kubectl create cm a && kubectl create cm b && kubectl delete cm a b nobody --ignore-not-found",
        "several",
        /"b" deleted/,
      ),
      row("kubectl create cm x && kubectl label cm x go=1 && kubectl delete cm -l go=1", "by selector", /"x" deleted/),
      row("kubectl create cm y && kubectl delete cm --field-selector metadata.name=y", "by field", /"y" deleted/),
      row(
        `kubectl create cm held && kubectl patch cm held -p '{"metadata":{"finalizers":["a.example/b"]}}' && kubectl delete cm held --wait=false && kubectl get cm held -o jsonpath='{.metadata.deletionTimestamp}'`,
        "a finalizer holds it",
        /20\d\d-/,
      ),
      row(
        `kubectl patch cm held -p '{"metadata":{"finalizers":null}}' && kubectl get cm held`,
        "and lets go",
        /NotFound/,
        1,
      ),
      row(
        "kubectl create ns compat-gone && kubectl create cm in -n compat-gone && kubectl delete ns compat-gone",
        "a namespace with what is in it",
        /"compat-gone" deleted/,
      ),
      row("kubectl delete ns default", "refuse", /forbidden: this namespace may not be deleted/, 1),
      refusal(
        "kubectl certificate approve nobody",
        "name what is not there",
        /(.*[Cc]ertificate[sS]igning[rR]equest.*)/,
      ),
    ],
  },
];
