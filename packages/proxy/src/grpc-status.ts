// How answers of the proxy's own reach gRPC clients, which look at `grpc-status` and not at the HTTP status.

const UNKNOWN = 2;

/** As gRPC clients read HTTP statuses (doc/http-grpc-status-mapping.md of grpc/grpc); 500 is what the proxy says of a backend
 * that cannot be used, for which the Gateway API wants UNAVAILABLE (GRPCRouteRule.backendRefs). */
const BY_HTTP_STATUS: Record<number, number> = {
  400: 13,
  401: 16,
  403: 7,
  404: 12,
  429: 14,
  500: 14,
  502: 14,
  503: 14,
  504: 14,
};

/** Whether a request with this Content-Type is gRPC (and not gRPC-Web, which is HTTP like any other). */
export function isGrpc(contentType: string | undefined): boolean {
  return contentType !== undefined && /^application\/grpc(?:$|[+;])/i.test(contentType);
}

/** The field lines of a Trailers-Only answer (gRPC over HTTP/2, "Responses") with HTTP status 200 in place of `status`. */
export function grpcAnswerLines(status: number, reason: string): string {
  const code = BY_HTTP_STATUS[status] ?? UNKNOWN;
  return `content-type: application/grpc\r\ngrpc-status: ${code}\r\ngrpc-message: ${percentEncode(reason)}\r\n`;
}

/** Everything but printable ASCII, and `%`, as percent-encoded UTF-8. */
function percentEncode(text: string): string {
  return text.replace(/[^ -$&-~]+/gu, (part) =>
    Array.from(Buffer.from(part), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(""),
  );
}
