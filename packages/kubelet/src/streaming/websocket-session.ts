// Standard streams over WebSocket channels: 0 stdin, 1 stdout, 2 stderr, 3 the outcome, 4 the terminal's size.

import type { WebSocket } from "@gatehouse/apimachinery/websocket-server";
import { outcomeMessage, type RemoteSession, type SessionRequest } from "./remote-session.ts";
import { WebSocketChannels } from "./websocket-channels.ts";

/** The subprotocols for exec and attach; without one, `channel.k8s.io` is meant. */
export const sessionProtocols: readonly string[] = [
  "v5.channel.k8s.io",
  "v4.channel.k8s.io",
  "v4.base64.channel.k8s.io",
  "channel.k8s.io",
  "base64.channel.k8s.io",
  "",
];

const stdin = 0;
const stdout = 1;
const stderr = 2;
const outcome = 3;

export function webSocketSession(webSocket: WebSocket, request: SessionRequest): RemoteSession {
  const channels = new WebSocketChannels(webSocket);
  const gone = new AbortController();
  webSocket.on("close", () => gone.abort());
  const session: RemoteSession = {
    ...(request.stdin ? { stdin: channels.readable(stdin) } : {}),
    ...(request.stdout ? { stdout: channels.writable(stdout) } : {}),
    ...(request.stderr ? { stderr: channels.writable(stderr) } : {}),
    signal: gone.signal,
    finish: (result) => {
      const message = outcomeMessage(result, webSocket.protocol);
      if (message !== "") channels.send(outcome, Buffer.from(message));
      webSocket.close(1000);
    },
  };
  // As Kubernetes does: an empty message tells the client that all is set up.
  channels.send(request.stdout ? stdout : request.stderr ? stderr : outcome, Buffer.alloc(0));
  return session;
}
