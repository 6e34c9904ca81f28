// kubectl: workloads and nodes, access, and what reaches into pods.

import { type Group, refusal, row } from "./rows.ts";

const pod = "$(kubectl get pods -l app=web -o jsonpath='{.items[0].metadata.name}')";

export const running: Group[] = [
  {
    client: "kubectl 1.32",
    title: "scale, rollout and nodes",
    rows: [
      row(
        "kubectl create deployment web --image=traefik/whoami && kubectl rollout status deployment/web",
        "ready",
        /successfully rolled out/,
      ),
      row(
        "kubectl scale deployment web --replicas=3 && kubectl rollout status deployment/web",
        "three",
        /successfully rolled out/,
      ),
      row(
        "kubectl scale deployment web --replicas=1 --current-replicas=9",
        "refuse another state",
        /Expected replicas to be 9, was 3/,
        1,
      ),
      row(
        "kubectl scale deployment web --replicas=1 --resource-version=1",
        "refuse another version",
        /Expected resource version to be 1/,
        1,
      ),
      row(
        "kubectl set image deployment/web whoami=traefik/whoami:v1.11 && kubectl rollout status deployment/web",
        "new pods",
        /successfully rolled out/,
      ),
      row(
        "kubectl annotate deployment/web kubernetes.io/change-cause=newer && kubectl rollout history deployment/web",
        "both revisions",
        /REVISION +CHANGE-CAUSE\n1[^]*\n2/,
      ),
      row("kubectl rollout history deployment/web --revision=1", "a revision's template", /Image:\ttraefik\/whoami\n/),
      row(
        "kubectl rollout undo deployment/web && kubectl rollout status deployment/web",
        "the one before",
        /rolled back[^]*successfully/,
      ),
      row("kubectl rollout undo deployment/web --to-revision=2", "a revision by number", /rolled back/),
      row(
        "kubectl rollout restart deployment/web && kubectl rollout status deployment/web",
        "new pods",
        /restarted[^]*successfully/,
      ),
      row(
        "kubectl rollout pause deployment/web && kubectl set env deployment/web X=1 && kubectl rollout resume deployment/web && kubectl rollout status deployment/web",
        "held, then done",
        /paused[^]*resumed[^]*successfully/,
      ),
      row("kubectl rollout status daemonset/traefik -n traefik", "a DaemonSet", /successfully rolled out/),
      row("kubectl rollout history daemonset/traefik -n traefik", "its revisions", /REVISION +CHANGE-CAUSE\n1 /),
      row("kubectl get controllerrevisions -n traefik", "their objects", /daemonset.apps\/traefik +1/),
      row(
        "kubectl cordon gatehouse-control-plane && kubectl uncordon gatehouse-control-plane",
        "no more pods, then again",
        / cordoned[^]* uncordoned/,
      ),
      row(
        "kubectl taint node gatehouse-control-plane compat=x:PreferNoSchedule && kubectl taint node gatehouse-control-plane compat-",
        "a taint",
        /tainted[^]*untainted/,
      ),
      row(
        "kubectl drain gatehouse-control-plane --ignore-daemonsets --delete-emptydir-data --force --dry-run=server",
        "who would go",
        /evict|evicting|drained/,
      ),
      row(
        "kubectl label node gatehouse-control-plane compat=1 && kubectl label node gatehouse-control-plane compat-",
        "a node's label",
        /unlabeled/,
      ),
      refusal("kubectl top pods", "name what is not there", /(Metrics API not available)/),
      refusal("kubectl top nodes", "name what is not there", /(Metrics API not available)/),
    ],
  },
  {
    client: "kubectl 1.32",
    title: "access",
    rows: [
      row("kubectl auth can-i create pods", "yes", /^yes\n$/),
      row("kubectl auth can-i '*' '*' --as=nobody", "no", /^no\n$/, 1),
      row("kubectl auth can-i --list", "the rules", /Resources +Non-Resource URLs/),
      row("kubectl auth whoami", "who one is", /Username/),
      row(
        "kubectl auth whoami --as=u --as-group=g --as-uid=42",
        "who one acts as",
        /UID +42[^]*Groups +\[g system:authenticated\]/,
      ),
      row(
        "kubectl create sa reader && kubectl create rolebinding reader --clusterrole=view --serviceaccount=$(kubectl config view --minify -o jsonpath='{..namespace}'):reader",
        "an account that may look",
        /rolebinding/,
      ),
      row(
        "kubectl config view --raw --minify | grep -v 'client-\\|token:' > nobody && kubectl get pods --kubeconfig=nobody --token=$(kubectl create token reader)",
        "look with its token",
        /No resources found/,
      ),
      row(
        "kubectl create cm x --kubeconfig=nobody --token=$(kubectl create token reader)",
        "refuse a write",
        /cannot create resource "configmaps"/,
        1,
      ),
      row(
        "kubectl get pods --as=system:serviceaccount:nobody:nobody",
        "refuse a stranger",
        /pods is forbidden: User "system:serviceaccount:nobody:nobody" cannot list resource "pods"/,
        1,
      ),
      row(
        "kubectl proxy --port=0 > port & until grep -q Starting port; do sleep 0.1; done; curl -s http://$(grep -o '127.*' port)/version; kill %1",
        "a way in for curl",
        /"gitVersion"/,
      ),
    ],
  },
  {
    client: "kubectl 1.32",
    title: "logs, exec, cp, attach and port-forward",
    files: { "file.txt": "hello\n" },
    rows: [
      row(
        "kubectl create deployment web --image=traefik/whoami --replicas=2 --port=80 && kubectl rollout status deployment/web",
        "ready",
        /successfully/,
      ),
      row("kubectl logs deployment/web --tail=1", "a pod's last line", /./),
      row(
        "kubectl logs -l app=web --prefix --timestamps --since=1h",
        "several pods",
        /\[pod\/web-\S+\/whoami\] 20\d\d-/,
      ),
      row("timeout 2 kubectl logs -f deployment/web; true", "follow", /./),
      row(`kubectl logs ${pod} -c nobody`, "the unknown container", /container nobody is not valid for pod/, 1),
      row(
        "kubectl port-forward deployment/web 18099:80 > forward & until grep -q Forwarding forward; do sleep 0.1; done; curl -s http://127.0.0.1:18099/; kill %1",
        "a local port",
        /Hostname: web-/,
      ),
      row(`kubectl exec ${pod} -- env`, "a command in the pod's place", /HOSTNAME|PATH/),
      row(`kubectl exec ${pod} -- sh -c 'exit 3'`, "its exit code", /exit code 3/, 3),
      row(`echo given | kubectl exec -i ${pod} -- cat`, "standard input", /^given\n$/),
      row(
        `kubectl cp file.txt ${pod}:file.txt && kubectl cp ${pod}:file.txt back.txt && cat back.txt`,
        "a file there and back",
        /hello/,
      ),
      row(`timeout 2 kubectl attach ${pod}; true`, "its output", /./),
      refusal(
        `kubectl debug ${pod} --image=traefik/whoami`,
        "name what is not there",
        /(ephemeral containers are disabled for this cluster.*)/,
      ),
    ],
  },
];
