// The echo server's gRPC mode: service GrpcEcho, whose answer says what the call looked like when it arrived.

import { print, serveContainer } from "./container-main.ts";
import type { EchoIdentity } from "./echo-identity.ts";
import { type GrpcCall, GrpcError, grpcServer, grpcStatus } from "./grpc-server.ts";
import { field, message } from "./protobuf-writer.ts";
import type { TlsFiles } from "./stream-server.ts";
import { tlsFacts } from "./tls-facts.ts";

const service = "gateway_api_conformance.echo_basic.grpcecho.GrpcEcho";

export interface GrpcEchoOptions {
  identity: EchoIdentity;
  httpPort: number;
  httpsPort: number;
  tls: TlsFiles | undefined;
}

export async function runGrpcEcho({ identity, httpPort, httpsPort, tls }: GrpcEchoOptions): Promise<void> {
  const handle = (call: GrpcCall): Buffer => echo(call, identity);
  const servers = [grpcServer(httpPort, undefined, handle), ...(tls ? [grpcServer(httpsPort, tls, handle)] : [])];
  await serveContainer(servers, () => {
    print(`plaintext server listening at [::]:${httpPort}`);
    if (tls) print(`secure server listening at [::]:${httpsPort}`);
  });
}

function echo(call: GrpcCall, identity: EchoIdentity): Buffer {
  const [, name, method = ""] = /^\/(.*)\/([^/]*)$/.exec(call.path) ?? [];
  if (name === undefined) throw unimplemented(`malformed method name: ${JSON.stringify(call.path)}`);
  if (name !== service) throw unimplemented(`unknown service ${name}`);
  // EchoThree is declared and left unimplemented on purpose.
  if (method === "EchoThree") throw unimplemented("method EchoThree not implemented");
  if (method !== "Echo" && method !== "EchoTwo") throw unimplemented(`unknown method ${method} for service ${name}`);
  print(`Received over ${call.socket ? "TLS" : "plaintext"}: ${call.path}`);
  return message(field(1, assertions(call, identity)));
}

const unimplemented = (text: string): GrpcError => new GrpcError(grpcStatus.unimplemented, text);

/** The message Assertions of grpcecho.proto. */
function assertions({ path, metadata, authority, socket }: GrpcCall, identity: EchoIdentity): Buffer {
  return message(
    field(1, path),
    ...metadata.map(([name, value]) => field(2, message(field(1, name), field(2, value)))),
    field(3, authority),
    field(
      4,
      message(
        field(1, identity.namespace),
        field(2, identity.ingress),
        field(3, identity.service),
        field(4, identity.pod),
      ),
    ),
    ...(socket ? [field(5, tlsAssertions(socket))] : []),
  );
}

function tlsAssertions(socket: NonNullable<GrpcCall["socket"]>): Buffer {
  const facts = tlsFacts(socket);
  return message(
    field(1, facts.version),
    field(2, facts.negotiatedProtocol),
    field(3, facts.serverName),
    field(4, facts.cipherSuite),
    ...facts.peerCertificates.map((certificate) => field(5, certificate)),
  );
}
