// helm: the life of a release. Everything finer is in test/helm.

import { type Group, row } from "./rows.ts";

const values =
  "--set image.repository=traefik/whoami,image.tag=v1.11,livenessProbe.periodSeconds=1,readinessProbe.periodSeconds=1";

const definition = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: helmnotes.test.gatehouse.dev }
spec:
  group: test.gatehouse.dev
  scope: Namespaced
  names: { plural: helmnotes, kind: HelmNote }
  versions:
    - name: v1
      served: true
      storage: true
      schema: { openAPIV3Schema: { type: object, properties: { spec: { type: object, properties: { text: { type: string } } } } } }
`;

const note = `apiVersion: test.gatehouse.dev/v1
kind: HelmNote
metadata: { name: {{ .Release.Name }} }
spec: { text: hello }
`;

/** The rows of a helm of this major version, which is `program`. */
export function helmGroup(major: number, program: string): Group {
  return {
    client: `helm ${major}`,
    title: "a release",
    environment: { HELM: program },
    files: { "definition.yaml": definition, "note.yaml": note },
    rows: [
      row(
        "$HELM create app && mkdir app/crds && cp definition.yaml app/crds/ && cp note.yaml app/templates/",
        "a chart with a definition and an object of it",
        /Creating app/,
      ),
      row(`$HELM install app ./app ${values} --wait --timeout 60s`, "everything made, and ready", /STATUS: deployed/),
      row("kubectl get helmnotes app -o jsonpath={.spec.text}", "the object of the chart's own kind", /^hello$/),
      row("$HELM list", "the release", /app\s+\S+\s+1\s+.*deployed/),
      row("$HELM status app", "its state", /STATUS: deployed/),
      row(
        `$HELM upgrade app ./app ${values} --set replicaCount=2 --dry-run=server`,
        "a rehearsal",
        /STATUS: pending-upgrade/,
      ),
      row(
        `$HELM upgrade app ./app ${values} --set replicaCount=2 --wait --timeout 60s`,
        "changed, and ready",
        /REVISION: 2/,
      ),
      row("kubectl get deployment app -o jsonpath={.status.readyReplicas}", "the change", /^2$/),
      row("$HELM history app", "both revisions", /superseded[^]*deployed/),
      row("$HELM rollback app 1 --wait --timeout 60s", "the first again", /Rollback was a success/),
      row("$HELM get manifest app", "what was installed", /kind: HelmNote/),
      row("$HELM uninstall app --wait --timeout 60s", "all but the definition gone", /release "app" uninstalled/),
      row(
        "kubectl get deploy,svc,helmnotes,secrets -o name && kubectl delete crd helmnotes.test.gatehouse.dev",
        "nothing left",
        /^customresourcedefinition\S+ "helmnotes\S+" deleted\n$/,
      ),
    ],
  };
}
