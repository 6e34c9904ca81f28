// What is said of the container engine behind kind: whether it answers, and what of its settings would bite.

import type { EngineFact, EngineInfo, EngineName, Facts } from "./facts.ts";
import { atLeast, bytes, type Finding, judge, type Rule } from "./finding.ts";
import { installLines, installPage } from "./install-lines.ts";

const gibibyte = 1024 ** 3;
const rootlessPage = "https://kind.sigs.k8s.io/docs/user/rootless/";
const titles: Record<EngineName, string> = {
  docker: "Docker",
  podman: "podman",
  nerdctl: "nerdctl",
  finch: "Finch",
  "nerdctl.lima": "nerdctl.lima",
};

export const engineTitle = ({ name }: Pick<EngineFact, "name">): string => titles[name];

/** The engine's own word on itself, when it answers. */
export function engineInfo({ answer }: EngineFact): EngineInfo | undefined {
  return answer.state === "ready" ? answer.info : undefined;
}

export const engineRules: Rule = (facts) => {
  const { engine } = facts;
  const info = engineInfo(engine);
  if (!info) return [unreachable(facts, engine.answer)];
  return [
    reachable(engine, info),
    ...endpointFinding(engine),
    cgroupFinding(facts, info),
    ...snapFinding(engine),
    cpuFinding(engine, info),
    memoryFinding(facts, info),
    diskFinding(engine, info),
  ];
};

/** Docker 20.10 brought --cgroupns, without which kind's nodes do not start; podman's is from kind's page on rootless. */
const oldest: Partial<Record<EngineName, string>> = { docker: "20.10", podman: "3.0" };

function reachable(engine: EngineFact, info: EngineInfo): Finding {
  const say = judge("docker-daemon", engineTitle(engine), ["kind"]);
  const minimum = oldest[engine.name];
  const words = [`version ${info.version}`, info.operatingSystem, info.rootless ? "rootless" : ""];
  const summary = words.filter((word) => word !== "").join(", ");
  if (info.containerOs !== "linux") {
    return say.problem(
      `runs ${info.containerOs} containers; kind's nodes are Linux containers`,
      'Docker Desktop\'s menu: "Switch to Linux containers..."',
    );
  }
  // Development builds have versions of their own making.
  if (minimum !== undefined && /^\d+\.\d+/.test(info.version) && !atLeast(info.version, minimum)) {
    return say.problem(`version ${info.version} is older than ${minimum}, which kind needs`, installPage(engine.name));
  }
  return say.ok(summary);
}

function unreachable(facts: Facts, answer: EngineFact["answer"]): Finding {
  const { engine } = facts;
  const { name } = engine;
  const say = judge("docker-daemon", engineTitle(engine), ["kind"]);
  const lookFirst = `Run ${name} info and mend what it complains about.`;
  switch (answer.state) {
    case "missing":
      return say.problem(
        name === "docker" ? "found neither docker nor podman nor nerdctl in PATH" : `${name} was not found in PATH`,
        `${installLines(name, facts)}${otherEngines(engine)}`,
      );
    case "hung":
      return say.problem(
        `did not answer within ${answer.limitMs / 1000} s${at(engine)}`,
        `${startLines(facts, "restart")}${otherEngines(engine)}`,
      );
    case "down":
      return say.problem(answer.message, `${startLines(facts, "start")}${otherEngines(engine)}`);
    case "denied":
      return say.problem(answer.message, name === "docker" && facts.platform === "linux" ? dockerGroup : lookFirst);
    default:
      return say.problem(`does not work${"message" in answer ? `: ${answer.message}` : ""}`, lookFirst);
  }
}

const dockerGroup =
  'sudo usermod -aG docker "$USER" && newgrp docker\nhttps://docs.docker.com/engine/install/linux-postinstall/';

const at = ({ endpoint }: EngineFact): string => (endpoint === undefined ? "" : ` at ${endpoint}`);

/** How this very engine is started: by the system, by the user's session, by a desktop program, or elsewhere. */
function startLines({ engine, platform }: Facts, verb: "start" | "restart"): string {
  const { name, endpoint = "" } = engine;
  if (isRemote(endpoint)) return `The engine at ${endpoint} has to run and be reachable, or: unset DOCKER_HOST`;
  if (name === "podman") return platform === "linux" ? "podman info" : "podman machine start";
  if (name === "nerdctl.lima") return "limactl start";
  if (name === "finch") return platform === "linux" ? `sudo systemctl ${verb} finch` : "finch vm start";
  if (endpoint.includes("/.colima/")) return `colima ${verb}`;
  if (endpoint.includes("/.orbstack/")) return "open -a OrbStack";
  if (platform === "darwin") return "open -a Docker";
  if (platform !== "linux") return "Start Docker Desktop.";
  if (endpoint.includes("/.docker/desktop/")) return `systemctl --user ${verb} docker-desktop`;
  const user = name === "docker" && endpoint.startsWith("unix:///run/user/");
  const service = name === "docker" ? "docker" : "containerd";
  return user ? `systemctl --user ${verb} ${service}` : `sudo systemctl ${verb} ${service}`;
}

function otherEngines({ others }: EngineFact): string {
  return others.map((other) => `\nor let kind use ${other}: export KIND_EXPERIMENTAL_PROVIDER=${other}`).join("");
}

function isRemote(endpoint: string): boolean {
  const host = /^(?:tcp|http|https|ssh):\/\/(?:[^@/]*@)?(\[[^\]]*\]|[^:/]*)/.exec(endpoint)?.[1];
  return host !== undefined && host !== "localhost" && host !== "[::1]" && !host.startsWith("127.");
}

/** Port mappings, the API server's among them, open where the engine runs. */
function endpointFinding(engine: EngineFact): Finding[] {
  const { endpoint = "" } = engine;
  const say = judge("docker-remote", `${engineTitle(engine)}'s machine`, ["kind"]);
  if (!isRemote(endpoint)) return [];
  return [
    say.problem(
      `${endpoint} is another machine: the cluster's ports would open on its 127.0.0.1, not on this one's`,
      "Use an engine on this machine:\nunset DOCKER_HOST DOCKER_CONTEXT && docker context use default",
    ),
  ];
}

/** kind refuses rootless engines without cgroup v2 and delegation; kubelets since 1.35 refuse cgroup v1 (KEP-5573). */
function cgroupFinding(facts: Facts, info: EngineInfo): Finding {
  const say = judge("cgroup", "control groups", ["kind"]);
  const { kind } = facts.tools;
  if (info.cgroupVersion === 1) {
    const toVersion2 =
      'In /etc/default/grub: GRUB_CMDLINE_LINUX="systemd.unified_cgroup_hierarchy=1"\nsudo update-grub && sudo reboot';
    if (info.rootless)
      return say.problem("version 1; a rootless engine needs version 2", `${toVersion2}\n${rootlessPage}`);
    const message = "version 1; nodes of Kubernetes 1.35 and newer do not start with it";
    // From that release on, kind's default node image is 1.35 or newer.
    const affected = kind.state === "found" && atLeast(kind.version, "0.31");
    return affected ? say.problem(message, toVersion2) : say.warning(message, toVersion2);
  }
  if (info.rootless && !info.limits) {
    return say.problem(
      "a rootless engine needs its controllers delegated by systemd",
      [
        "sudo mkdir -p /etc/systemd/system/user@.service.d",
        "printf '[Service]\\nDelegate=yes\\n' | sudo tee /etc/systemd/system/user@.service.d/delegate.conf",
        "sudo systemctl daemon-reload   (then log out and in)",
        rootlessPage,
      ].join("\n"),
    );
  }
  return info.cgroupVersion === 2 ? say.ok("version 2") : say.skipped("the engine does not say which version");
}

function snapFinding(engine: EngineFact): Finding[] {
  if (!engine.snap) return [];
  const say = judge("docker-snap", `${engineTitle(engine)} from a snap`, ["kind"]);
  return [
    say.warning(
      "it cannot read /tmp, which kind uses to load images, nor hidden folders such as ~/.gatehouse, by which up knows its cluster",
      'mkdir -p "$HOME/tmp" && export TMPDIR="$HOME/tmp"\nexport GATEHOUSE_HOME="$HOME/gatehouse"\nhttps://kind.sigs.k8s.io/docs/user/known-issues/#docker-installed-with-snap',
    ),
  ];
}

const resizePage = "https://docs.docker.com/desktop/settings-and-maintenance/settings/#resources";

/** kubeadm asks for two CPUs and 1700 MB on a control plane node; kind skips that check, the node is no faster for it. */
function cpuFinding(engine: EngineFact, { cpus }: EngineInfo): Finding {
  const say = judge("engine-cpus", `CPUs of ${engineTitle(engine)}`, ["kind"]);
  if (cpus === 0) return say.skipped("the engine does not say");
  if (cpus >= 2) return say.ok(String(cpus));
  return say.warning(
    "1; a Kubernetes node wants 2, and starts slowly with less",
    `Give the engine more:\n${resizePage}`,
  );
}

function memoryFinding({ engine, memory }: Facts, { memoryBytes, disk }: EngineInfo): Finding {
  const say = judge("engine-memory", `memory of ${engineTitle(engine)}`, ["kind"]);
  if (memoryBytes === 0) return say.skipped("the engine does not say");
  // An engine whose disk is this machine's shares its memory, too.
  const here = disk ? (memory.availableBytes ?? memoryBytes) : memoryBytes;
  const usable = Math.min(memoryBytes, here);
  const remedy = disk ? "End programs that take much." : `Give the engine more:\n${resizePage}`;
  if (usable < gibibyte) return say.problem(`${bytes(usable)}; a node with Traefik needs at least 1 GiB`, remedy);
  if (usable < 2 * gibibyte)
    return say.warning(`${bytes(usable)}; a node with Traefik is slow with less than 2 GiB`, remedy);
  return say.ok(bytes(usable));
}

/** The node's image takes about 1 GiB, pods' images come on top. kind's nodes evict nothing: etcd fails instead. */
function diskFinding(engine: EngineFact, { disk }: EngineInfo): Finding {
  const say = judge("engine-disk", `disk of ${engineTitle(engine)}`, ["kind"]);
  const prune = `${engine.name} system df\n${engine.name} system prune`;
  if (!disk) return say.skipped(`cannot be seen from here: ${engine.name} system df`);
  const message = `${bytes(disk.freeBytes)} free at ${disk.path}`;
  if (disk.freeBytes < 2 * gibibyte) return say.problem(`${message}; a node needs at least 2 GiB`, prune);
  if (disk.freeBytes < 6 * gibibyte) return say.warning(`${message}; with less than 6 GiB a node may run full`, prune);
  return say.ok(message);
}
