// A connection to an endpoint for a stream: TCP, the PROXY header if there is one, TLS if there is some.

import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ConnectionOptions } from "node:tls";
import { AcceptedTransport } from "../io/net-transport.ts";
import { dial } from "../io/network.ts";
import type { Io } from "../io/network.ts";
import type { Transport } from "../io/transport.ts";

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
  return destination.tls === null
    ? dialPlain(io, destination, outcome)
    : dialTls(destination, destination.tls, outcome);
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
