// A connection to an endpoint for a stream: TCP, the PROXY header if there is one, TLS if there is some.

import { connect, isIP } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ConnectionOptions } from "node:tls";
import { dialHandle } from "../io/handle-transport.ts";
import { AcceptedTransport } from "../io/net-transport.ts";
import { dial } from "../io/network.ts";
import type { Io } from "../io/network.ts";
import { tlsHandles } from "../io/tls-handles.ts";
import type { TlsHandles } from "../io/tls-handles.ts";
import type { Transport } from "../io/transport.ts";
import { secureBackend } from "../tls/backend-handshake.ts";

export interface Destination {
  host: string;
  port: number;
  /** Null: no TLS. */
  tls: ConnectionOptions | null;
  /** Latin-1 text the connection begins with, before TLS; may be empty. */
  header: string;
}

export interface DialOutcome {
  /** It stands: whoever takes it sets its handler before this call returns. */
  onConnected(transport: Transport): void;
  /** It does not come about. `reached`: the endpoint took the connection, but no TLS was agreed on. */
  onFailed(reason: string, reached: boolean): void;
}

/** Starts connecting. The call returned gives up, without telling. */
export function dialEndpoint(io: Io, destination: Destination, outcome: DialOutcome): () => void {
  const { tls } = destination;
  if (tls === null) return dialPlain(io, destination, outcome);
  return io === "handles" && tlsHandles !== null && isIP(destination.host) !== 0
    ? dialHandleTls(tlsHandles, destination, tls, outcome)
    : dialTls(destination, tls, outcome);
}

function dialPlain(io: Io, { host, port, header }: Destination, outcome: DialOutcome): () => void {
  let given = false;
  const transport = dial(io, host, port, () => {
    if (given) return;
    given = true;
    if (header !== "") transport.write(header);
    outcome.onConnected(transport);
  });
  transport.handler = {
    onData() {},
    onEnd() {},
    onDrain() {},
    onClose: (error) => {
      if (!given) outcome.onFailed(`connect-${codeOf(error)}`, false);
    },
  };
  return () => {
    given = true;
    transport.destroy();
  };
}

function dialHandleTls(
  runtime: TlsHandles,
  { host, port, header }: Destination,
  tls: ConnectionOptions,
  outcome: DialOutcome,
): () => void {
  let given = false;
  const fail = (reason: string, error: NodeJS.ErrnoException | null, reached: boolean): void => {
    if (!given) outcome.onFailed(`${reason}-${codeOf(error)}`, reached);
    given = true;
  };
  const tcp = dialHandle(host, port, () => {
    if (given) return;
    if (header !== "") tcp.write(header);
    secureBackend(runtime, tcp, tls, [], {
      onSecure(transport) {
        if (given) return transport.destroy();
        given = true;
        outcome.onConnected(transport);
      },
      onFailed: (error) => fail("backend-tls", error, true),
    });
  });
  tcp.handler = { onData() {}, onEnd() {}, onDrain() {}, onClose: (error) => fail("connect", error, false) };
  return () => {
    given = true;
    tcp.destroy();
  };
}

function dialTls(destination: Destination, tls: ConnectionOptions, outcome: DialOutcome): () => void {
  const { host, port, header } = destination;
  const socket = connect({ host, port, noDelay: true, allowHalfOpen: true });
  let given = false;
  let reached = false;
  const onError = (error: NodeJS.ErrnoException): void => {
    socket.destroy();
    if (given) return;
    given = true;
    outcome.onFailed(`${reached ? "backend-tls" : "connect"}-${codeOf(error)}`, reached);
  };
  socket.on("error", onError);
  socket.once("connect", () => {
    reached = true;
    if (header !== "") socket.write(header, "latin1");
    const secure = connectTls({ ...tls, socket }, () => {
      if (given) return;
      given = true;
      secure.off("error", onError);
      outcome.onConnected(new AcceptedTransport(secure, socket));
    });
    secure.on("error", onError);
    secure.once("close", () => onError(new Error("closed")));
  });
  return () => {
    given = true;
    socket.destroy();
  };
}

function codeOf(error: NodeJS.ErrnoException | null): string {
  return (error?.code ?? "closed").toLowerCase();
}
