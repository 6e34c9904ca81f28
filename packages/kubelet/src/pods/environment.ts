// The environment of a container: envFrom, then env in order with $(VAR) references, over what the kubelet gives.

import type { ConfigMap, Container, EnvVar, Pod, Secret } from "@gatehouse/apimachinery/types/core-v1";
import { type PodFacts, podField, resourceField } from "./field-reference.ts";

/** What the environment is made from. Lookups answer undefined for objects that do not exist. */
export interface EnvironmentSources {
  pod: Pod;
  facts: PodFacts;
  configMap(name: string): ConfigMap | undefined;
  secret(name: string): Secret | undefined;
}

/** Something the spec refers to is not there (yet): the container waits with CreateContainerConfigError. */
export class ContainerConfigError extends Error {}

/** `base` is what variables may refer to and override. Throws a ContainerConfigError naming what is missing. */
export function containerEnvironment(
  container: Container,
  sources: EnvironmentSources,
  base: Record<string, string>,
): Record<string, string> {
  const environment = { ...base };
  for (const source of container.envFrom ?? []) {
    const data = wholeSource(source, sources);
    for (const [key, value] of Object.entries(data)) {
      const name = (source.prefix ?? "") + key;
      refuseHostVariable(name);
      environment[name] = value;
    }
  }
  for (const variable of container.env ?? []) {
    refuseHostVariable(variable.name);
    const value = valueOf(variable, container, sources, environment);
    if (value !== undefined) environment[variable.name] = value;
  }
  return environment;
}

// A container here is a process on the host, and its image a program of ours. By these variables a pod spec could make that
// program load code, write anywhere or listen where others reach it, which its `command` may not do either.
const hostVariables = new Set(
  (
    "NODE_OPTIONS NODE_PATH NODE_COMPILE_CACHE NODE_V8_COVERAGE NODE_REDIRECT_WARNINGS NODE_CHANNEL_FD NODE_UNIQUE_ID " +
    "NODE_CHANNEL_SERIALIZATION_MODE NODE_REPL_EXTERNAL_MODULE NODE_REPL_HISTORY NODE_ICU_DATA SSLKEYLOGFILE GCONV_PATH " +
    // The user's own kubeconfig would be found by these.
    "KUBECONFIG HOME"
  ).split(" "),
);
const hostPrefixes = ["GATEHOUSE_", "LD_", "DYLD_", "GLIBC_", "OPENSSL_"];

function refuseHostVariable(name: string): void {
  if (!hostVariables.has(name) && !hostPrefixes.some((prefix) => name.startsWith(prefix))) return;
  throw new ContainerConfigError(
    `env ${name} is refused: it would change how the built-in program itself is run on this host. Leave it out.`,
  );
}

function wholeSource(
  source: NonNullable<Container["envFrom"]>[number],
  sources: EnvironmentSources,
): Record<string, string> {
  if (source.configMapRef) {
    const { name, optional } = source.configMapRef;
    const found = sources.configMap(name);
    if (!found && !optional) throw new ContainerConfigError(`configmap "${name}" not found`);
    return found?.data ?? {};
  }
  if (source.secretRef) {
    const { name, optional } = source.secretRef;
    const found = sources.secret(name);
    if (!found && !optional) throw new ContainerConfigError(`secret "${name}" not found`);
    return Object.fromEntries(Object.entries(found?.data ?? {}).map(([key, value]) => [key, decode(value)]));
  }
  return {};
}

/** Undefined when an optional source is absent: the variable is not set then. */
function valueOf(
  { name, value, valueFrom }: EnvVar,
  container: Container,
  sources: EnvironmentSources,
  environment: Record<string, string>,
): string | undefined {
  if (!valueFrom) return expandVariables(value ?? "", environment);
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = valueFrom;
  if (fieldRef) {
    const field = podField(sources.pod, sources.facts, fieldRef.fieldPath);
    if (field === undefined) throw new ContainerConfigError(`env ${name}: unsupported fieldPath ${fieldRef.fieldPath}`);
    return field;
  }
  if (resourceFieldRef) {
    const { containerName, resource, divisor } = resourceFieldRef;
    const subject = sources.pod.spec.containers.find((other) => other.name === containerName) ?? container;
    const amount = resourceField(subject, resource, divisor);
    if (amount === undefined) throw new ContainerConfigError(`env ${name}: unsupported resource ${resource}`);
    return amount;
  }
  if (configMapKeyRef) {
    return keyOf("configmap", configMapKeyRef, sources.configMap(configMapKeyRef.name)?.data, sources.pod);
  }
  if (secretKeyRef) {
    const encoded = keyOf("secret", secretKeyRef, sources.secret(secretKeyRef.name)?.data, sources.pod);
    return encoded === undefined ? undefined : decode(encoded);
  }
  return "";
}

function keyOf(
  kind: string,
  { name, key, optional }: { name: string; key: string; optional?: boolean },
  data: Record<string, string> | undefined,
  pod: Pod,
): string | undefined {
  const value = data && Object.hasOwn(data, key) ? data[key] : undefined;
  if (value !== undefined || optional) return value;
  if (!data) throw new ContainerConfigError(`${kind} "${name}" not found`);
  throw new ContainerConfigError(`couldn't find key ${key} in ${kind} ${pod.metadata.namespace}/${name}`);
}

const decode = (base64: string): string => Buffer.from(base64, "base64").toString("utf8");

/** Replaces `$(NAME)` for known names; `$$` is a literal `$`, unknown references stay (k8s third_party/forked/golang/expansion). */
export function expandVariables(text: string, variables: Record<string, string>): string {
  return text.replace(/\$(?:\$|\(([^)]*)\))/g, (all, name: string | undefined) => {
    if (name === undefined) return "$";
    return Object.hasOwn(variables, name) ? (variables[name] ?? all) : all;
  });
}
