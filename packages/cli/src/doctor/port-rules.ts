// What is said of the host ports for HTTP and HTTPS.

import type { ProviderKind } from "../cluster-state.ts";
import { engineInfo, engineTitle } from "./engine-rules.ts";
import type { Facts, PortFact, PortHolder } from "./facts.ts";
import { type Finding, judge, type Need, type Rule } from "./finding.ts";

const both: ProviderKind[] = ["embedded", "kind"];

export const portRules: Rule = (facts, need) => facts.ports.map((fact) => portFinding(fact, facts, need));

function portFinding(fact: PortFact, facts: Facts, need: Need): Finding {
  const { wish, port, refusal, holder } = fact;
  const say = judge(`port-${wish.containerPort}`, `port ${port}`, both);
  if (wish.chosen === 0) return judge(`port-${wish.containerPort}`, wish.option, both).ok("0: any free port is taken");
  if (isRepeated(fact, facts)) {
    return say.problem(`${wish.option} ${port}: every listener needs a port of its own`, `${wish.option} OTHER`);
  }
  if (refusal === undefined) return say.ok("free");
  if (refusal === "EADDRINUSE") {
    if (holder && isOwn(holder, need)) return say.ok(`held by the ${holder.provider} cluster "${holder.name}" itself`);
    return refused(fact, `held by ${nameOf(holder)}`, howToFree(port, holder, facts.platform), both);
  }
  if (refusal === "EACCES") return privileged(fact, facts, need);
  return refused(fact, `cannot be opened (${refusal})`, "", both);
}

function isRepeated({ wish, port }: PortFact, { ports }: Facts): boolean {
  if (wish.chosen === undefined) return false;
  const first = ports.find((other) => other.port === port);
  return first !== undefined && first.wish.containerPort !== wish.containerPort && first.wish.chosen !== undefined;
}

/** An overview is about both providers' clusters of that name. */
function isOwn(holder: PortHolder, { name, provider }: Need): holder is PortHolder & { what: "cluster" } {
  return holder.what === "cluster" && holder.name === name && (provider ?? holder.provider) === holder.provider;
}

/** A port the user chose is had or not; for one that is only preferred, another is taken. */
function refused({ wish, port }: PortFact, why: string, freeing: string, neededFor: ProviderKind[]): Finding {
  const say = judge(`port-${wish.containerPort}`, `port ${port}`, neededFor);
  const other = `${freeing === "" ? "" : `${freeing}\nor `}choose another: ${wish.option} PORT (0 = any free one)`;
  if (wish.chosen !== undefined) return say.problem(why, other);
  return say.warning(`${why}; ${wish.fallback} or the next free one is taken instead`, other);
}

/** The engine's daemon opens ports with its own rights, the user's do not matter to it; a rootless one has the user's. */
function privileged(fact: PortFact, facts: Facts, need: Need): Finding {
  const rootless = engineInfo(facts.engine)?.rootless === true;
  if (need.provider === "kind" && !rootless) {
    return judge(`port-${fact.wish.containerPort}`, `port ${fact.port}`, ["kind"]).ok(
      `free (${engineTitle(facts.engine)} opens it with its own rights)`,
    );
  }
  // One limit for all: the line is the same for each port, and opens the lowest that is refused.
  const lowest = Math.min(...facts.ports.filter(({ refusal }) => refusal === "EACCES").map(({ port }) => port));
  const allow = facts.platform === "linux" ? `sudo sysctl net.ipv4.ip_unprivileged_port_start=${lowest}` : "";
  return refused(fact, "needs administrator rights on this machine", allow, rootless ? both : ["embedded"]);
}

function nameOf(holder: PortHolder | undefined): string {
  if (!holder) return "another process";
  switch (holder.what) {
    case "process":
      return holder.name;
    case "container":
      return `the container "${holder.name}"`;
    case "cluster":
      return `the ${holder.provider} cluster "${holder.name}"`;
  }
}

function howToFree(port: number, holder: PortHolder | undefined, platform: NodeJS.Platform): string {
  switch (holder?.what) {
    case "cluster":
      return holder.provider === "embedded"
        ? `gatehouse stop --name ${holder.name}`
        : `kind delete cluster --name ${holder.name}`;
    case "container":
      return `${holder.engine} stop ${holder.name}`;
    case "process":
      return `stop ${holder.name}`;
    default:
      return platform === "linux"
        ? `sudo ss -ltnp 'sport = :${port}'   shows who`
        : `sudo lsof -nP -iTCP:${port} -sTCP:LISTEN   shows who`;
  }
}
