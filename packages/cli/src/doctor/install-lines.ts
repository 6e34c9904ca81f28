// How to get each tool, as its own project says: one line to copy, and the page for everything else.

import type { EngineName, Facts, ToolName } from "./facts.ts";

type Machine = Pick<Facts, "platform" | "architecture">;

/** The kind release that is proposed: its node image is Kubernetes 1.34. */
const kindRelease = "v0.30.0";

const pages: Record<ToolName | EngineName, string> = {
  kind: "https://kind.sigs.k8s.io/docs/user/quick-start/#installation",
  kubectl: "https://kubernetes.io/docs/tasks/tools/",
  helm: "https://helm.sh/docs/intro/install/",
  docker: "https://docs.docker.com/engine/install/",
  podman: "https://podman.io/docs/installation",
  nerdctl: "https://github.com/containerd/nerdctl#install",
  finch: "https://runfinch.com/docs/getting-started/installation/",
  "nerdctl.lima": "https://lima-vm.io/docs/installation/",
};

/** Homebrew's names where they are other ones. */
const formulas: Partial<Record<ToolName | EngineName, string>> = {
  docker: "--cask docker-desktop",
  finch: "--cask finch",
  "nerdctl.lima": "lima",
};

/** The project's own page on installing and updating it. */
export const installPage = (tool: ToolName | EngineName): string => pages[tool];

/** The command, where there is one, and the page: a line each. */
export function installLines(tool: ToolName | EngineName, machine: Machine): string {
  const line = commandFor(tool, machine);
  return `${line === undefined ? "" : `${line}\n`}${installPage(tool)}`;
}

function commandFor(tool: ToolName | EngineName, { platform, architecture }: Machine): string | undefined {
  if (platform === "darwin") return `brew install ${formulas[tool] ?? tool}`;
  if (platform !== "linux") return undefined;
  const arch = architecture === "x64" ? "amd64" : architecture;
  const toPath = (name: string): string => `sudo install -m 0755 ${name} /usr/local/bin/${name}`;
  switch (tool) {
    case "kind":
      return `curl -fLo kind https://kind.sigs.k8s.io/dl/${kindRelease}/kind-linux-${arch} && ${toPath("kind")}`;
    case "kubectl":
      return `curl -fLO "https://dl.k8s.io/release/$(curl -fLs https://dl.k8s.io/release/stable.txt)/bin/linux/${arch}/kubectl" && ${toPath("kubectl")}`;
    case "helm":
      return "curl -fsSL https://raw.githubusercontent.com/helm/helm/main/scripts/get-helm-3 | bash";
    case "docker":
      return "curl -fsSL https://get.docker.com | sh";
    default:
      return undefined;
  }
}
