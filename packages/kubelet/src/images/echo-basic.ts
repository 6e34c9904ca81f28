// The Gateway API conformance suite's echo server (echo-basic; the HTTP part of echo-advanced): what it speaks is chosen by
// the pod's variables, as in the original.

import { echoIdentity, portOf } from "./echo-identity.ts";
import { readTlsFiles } from "./tls-files.ts";

const { env } = process;
const identity = echoIdentity(env);
const httpPort = (): number => portOf(env, "HTTP_PORT", 3000);
const httpsPort = (): number => portOf(env, "HTTPS_PORT", 8443);

// The variable of the private key is spelt in two ways; so it is in the original.
if (env.GRPC_ECHO_SERVER) {
  const { runGrpcEcho } = await import("./grpc-echo.ts");
  const tls = readTlsFiles(env.TLS_SERVER_CERT, env.TLS_SERVER_PRIV_KEY);
  await runGrpcEcho({ identity, httpPort: httpPort(), httpsPort: httpsPort(), tls });
} else if (env.TCP_ECHO_SERVER) {
  const { runTcpEcho } = await import("./tcp-echo.ts");
  const tls = readTlsFiles(env.TLS_SERVER_CERT, env.TLS_SERVER_PRIV_KEY);
  await runTcpEcho({ identity, tcpPort: portOf(env, "TCP_PORT", 3000), tlsPort: portOf(env, "TLS_PORT", 8443), tls });
} else if (env.UDP_ECHO_SERVER) {
  const { runUdpEcho } = await import("./udp-echo.ts");
  await runUdpEcho(portOf(env, "UDP_PORT", 8080), identity);
} else {
  const { runHttpEcho } = await import("./http-echo.ts");
  const tls = readTlsFiles(env.TLS_SERVER_CERT, env.TLS_SERVER_PRIVKEY, env.TLS_CLIENT_CACERTS);
  const h2cPort = portOf(env, "H2C_PORT", 3001);
  await runHttpEcho({ identity, httpPort: httpPort(), h2cPort, httpsPort: httpsPort(), tls });
}
