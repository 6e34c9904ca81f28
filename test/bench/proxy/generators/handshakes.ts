// TLS clients that open a connection for each request and never resume a session. They offer one group of keys: of the
// hybrid one with ML-KEM, which Node prefers, OpenSSL before 3.5 knows nothing, and those who take it do the work of two.

import { connect } from "node:tls";
import { Latencies } from "./latencies.ts";

export interface HandshakeSettings {
  addresses: string[];
  port: number;
  connections: number;
  seconds: number;
}

/** Times run from the connect to the end of the answer. */
export async function handshakes({ addresses, port, connections, seconds }: HandshakeSettings): Promise<Latencies> {
  const latencies = new Latencies();
  const end = performance.now() + seconds * 1000;
  const client = async (host: string): Promise<void> => {
    while (performance.now() < end) {
      const started = performance.now();
      if (await once(host, port)) latencies.add(performance.now() - started);
      else latencies.errors++;
    }
  };
  await Promise.all(
    Array.from({ length: connections }, (_, index) => client(addresses[index % addresses.length] ?? "")),
  );
  return latencies;
}

/** True when the answer was 200 and came whole. */
function once(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    let answer = "";
    let ended = false;
    const options = { rejectUnauthorized: false, ALPNProtocols: ["http/1.1"], ecdhCurve: "X25519" };
    const socket = connect({ host, port, ...options }, () =>
      socket.write(`GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`),
    );
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => (answer += text));
    socket.on("end", () => (ended = true));
    socket.on("error", () => {});
    socket.on("close", () => resolve(ended && answer.startsWith("HTTP/1.1 200 ")));
  });
}
