// Image references (`[registry/]repository[:tag][@digest]`) reduced to the name that identifies a built-in image.
// Grammar and defaults follow github.com/distribution/reference.

const domain =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*)(?::[0-9]+)?$/;
const pathComponent = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const tag = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const digest = /^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[0-9a-fA-F]{32,}$/;

/**
 * The full repository name, e.g. `docker.io/traefik/whoami` for `traefik/whoami:v1.10`, or undefined when the
 * reference is malformed. Tag and digest are checked, then dropped: a built-in image plays every version of its name.
 */
export function imageRepository(reference: string): string | undefined {
  const at = reference.indexOf("@");
  if (at !== -1 && !digest.test(reference.slice(at + 1))) return undefined;
  const named = at === -1 ? reference : reference.slice(0, at);
  const colon = named.lastIndexOf(":");
  const tagged = colon > named.lastIndexOf("/");
  if (tagged && !tag.test(named.slice(colon + 1))) return undefined;
  return withDomain(tagged ? named.slice(0, colon) : named);
}

function withDomain(name: string): string | undefined {
  const slash = name.indexOf("/");
  const first = slash === -1 ? "" : name.slice(0, slash);
  const hasDomain = first !== "" && (/[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase());
  const host = hasDomain ? first.replace(/^index\.docker\.io$/, "docker.io") : "docker.io";
  const path = hasDomain ? name.slice(slash + 1) : name;
  if (!domain.test(host) || !path.split("/").every((component) => pathComponent.test(component))) return undefined;
  return host === "docker.io" && !path.includes("/") ? `docker.io/library/${path}` : `${host}/${path}`;
}
