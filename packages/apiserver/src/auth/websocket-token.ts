// Bearer tokens of browsers, which cannot set headers on a WebSocket: Kubernetes takes them as a subprotocol that is offered
// beside the real ones, `base64url.bearer.authorization.k8s.io.<token in base64url>`.

const prefix = "base64url.bearer.authorization.k8s.io.";

/** The token among the offered subprotocols; undefined when there is none, empty when it is malformed. */
export function tokenAmong(protocols: string[]): string | undefined {
  const [protocol, ...more] = protocols.filter((name) => name.startsWith(prefix));
  if (protocol === undefined) return undefined;
  const encoded = protocol.slice(prefix.length);
  return more.length > 0 || !/^[\w-]+$/.test(encoded) ? "" : Buffer.from(encoded, "base64url").toString("utf8");
}

/** The real subprotocols. */
export function withoutToken(protocols: string[]): string[] {
  return protocols.filter((name) => !name.startsWith(prefix));
}
