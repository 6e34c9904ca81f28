import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createPlainServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { before, describe, it } from "node:test";
import { createServer } from "node:tls";
import type { TlsOptions } from "node:tls";
import { dialHandle } from "../io/handle-transport.ts";
import { tlsHandles } from "../io/tls-handles.ts";
import { createAuthority } from "../testing/certificates.ts";
import type { Authority } from "../testing/certificates.ts";
import { secureBackend } from "./backend-handshake.ts";
import { backendTlsOptions } from "./backend-tls.ts";

interface Resources {
  after(close: () => unknown): void;
}

let authority: Authority;

before(async () => {
  authority = await createAuthority();
});

async function listening(test: Resources, server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => sockets.add(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  test.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** An endpoint with a certificate for `backend.test` that says which name it was asked for. */
async function endpoint(test: Resources, options: TlsOptions = {}): Promise<number> {
  const { certificate, key } = await authority.issue("backend.test");
  const server = createServer({ cert: certificate, key, ...options }, (socket) => {
    socket.on("error", () => {});
    socket.end(`asked for ${(socket as { servername?: string | false }).servername || "none"}`);
  });
  server.on("tlsClientError", () => {});
  return listening(test, server);
}

/** What comes of TLS with `port`: protocol and text, or `failed` with the error's code. */
function outcome(port: number, serverName: string, protocols: string[] = []): Promise<string> {
  const options = backendTlsOptions({ serverName, authorities: authority.certificate });
  return new Promise((resolve) => {
    const tcp = dialHandle("127.0.0.1", port, () =>
      secureBackend(tlsHandles!, tcp, options, protocols, {
        onSecure(transport, protocol) {
          let text = "";
          transport.handler = {
            onData: (bytes, end) => (text += bytes.toString("latin1", 0, end)),
            onDrain() {},
            onEnd: () => transport.end(),
            onClose: () => resolve(`${protocol} ${text}`),
          };
        },
        onFailed: (error) => resolve(`failed ${error?.code ?? "closed"}`),
      }),
    );
  });
}

describe(
  "TLS with endpoints over handles",
  { skip: tlsHandles === null && "the runtime's handles are not there" },
  () => {
    it("asks for the name and agrees on a protocol, or on none", async (test) => {
      const port = await endpoint(test, { ALPNProtocols: ["http/1.1"] });
      assert.equal(await outcome(port, "backend.test", ["h2", "http/1.1"]), "http/1.1 asked for backend.test");
      assert.equal(await outcome(port, "backend.test"), "null asked for backend.test");
      assert.equal(
        await outcome(await endpoint(test, { maxVersion: "TLSv1.2" }), "backend.test"),
        "null asked for backend.test",
      );
      assert.match(await outcome(port, "backend.test", ["h2"]), /^failed ERR_SSL_.*NO_APPLICATION_PROTOCOL$/);
    });

    it("takes no certificate for another name, or of an authority nobody trusts", async (test) => {
      assert.equal(await outcome(await endpoint(test), "other.test"), "failed ERR_TLS_CERT_ALTNAME_INVALID");
      const { certificate: cert, key } = await (await createAuthority("stranger")).issue("backend.test");
      assert.match(await outcome(await endpoint(test, { cert, key }), "backend.test"), /^failed UNABLE_TO_/);
    });

    it("fails with who does not speak it, and with who goes", async (test) => {
      const other = createPlainServer((socket) => void socket.on("error", () => {}).write("220 hello\r\n"));
      assert.match(await outcome(await listening(test, other), "backend.test"), /^failed ERR_SSL_/);
      const going = createPlainServer((socket) => void socket.on("error", () => {}).once("data", () => socket.end()));
      assert.equal(await outcome(await listening(test, going), "backend.test"), "failed closed");
    });
  },
);
