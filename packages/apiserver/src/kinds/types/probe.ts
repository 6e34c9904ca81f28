// How the kubelet asks a container for its health, and the hooks around its life (core/v1).

import {
  field,
  int32,
  int64,
  intOrString,
  listOf,
  oneOf,
  str,
  strings,
  struct,
  positiveInt32,
} from "../schema-helpers.ts";

const execAction = struct("core.v1.ExecAction", "A command run inside the container.", {
  command: strings("The command and its arguments; no shell. Exit code 0 means success."),
});

const httpHeader = struct("core.v1.HTTPHeader", "A header of a request.", {
  "name!": str("Name of the header."),
  "value!": str("Its value.", { default: "" }),
});

const httpGetAction = struct("core.v1.HTTPGetAction", "An HTTP GET request.", {
  host: str("Host to connect to; the pod's address when empty."),
  httpHeaders: listOf(httpHeader, "Headers to send."),
  path: str("Path to ask for.", { default: "/" }),
  "port!": intOrString("Port, by number or by the container port's name."),
  scheme: oneOf(["HTTP", "HTTPS"], "HTTP or HTTPS (certificates are not checked).", { default: "HTTP" }),
});

const tcpSocketAction = struct("core.v1.TCPSocketAction", "A TCP connection.", {
  host: str("Host to connect to; the pod's address when empty."),
  "port!": intOrString("Port, by number or by the container port's name."),
});

const grpcAction = struct("core.v1.GRPCAction", "A gRPC health check.", {
  "port!": int32("Port of the gRPC service."),
  service: str("Service to ask for.", { default: "" }),
});

const sleepAction = struct("core.v1.SleepAction", "A pause.", {
  "seconds!": int64("Its length."),
});

export const probe = struct("core.v1.Probe", "A check that the kubelet repeats.", {
  exec: field(execAction, "Runs a command."),
  failureThreshold: positiveInt32("Failures in a row to count as unhealthy.", { default: 3 }),
  grpc: field(grpcAction, "Calls the gRPC health service."),
  httpGet: field(httpGetAction, "Sends a GET request; 2xx and 3xx are success."),
  initialDelaySeconds: int32("Seconds after the start before the first check."),
  periodSeconds: positiveInt32("Seconds between checks.", { default: 10 }),
  successThreshold: positiveInt32("Successes in a row to count as healthy after a failure.", { default: 1 }),
  tcpSocket: field(tcpSocketAction, "Opens a TCP connection."),
  terminationGracePeriodSeconds: int64(
    "Seconds to end after a failed liveness or startup probe; the pod's value when absent.",
  ),
  timeoutSeconds: positiveInt32("Seconds until a check counts as failed.", { default: 1 }),
});

const lifecycleHandler = struct(
  "core.v1.LifecycleHandler",
  "What is done at a point of the container's life; exactly one of these.",
  {
    exec: execAction,
    httpGet: httpGetAction,
    sleep: sleepAction,
    tcpSocket: tcpSocketAction,
  },
);

export const lifecycle = struct("core.v1.Lifecycle", "Hooks around a container's life.", {
  postStart: field(lifecycleHandler, "Right after the start."),
  preStop: field(lifecycleHandler, "Before the container is asked to stop."),
  stopSignal: str("Signal that asks the container to stop."),
});
