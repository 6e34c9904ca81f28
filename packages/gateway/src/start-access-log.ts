// The access log of a gateway, as its flags say: from the proxy's records to lines, and to where those go.

import type { Log } from "@gatehouse/apimachinery/log";
import { writablePath } from "@gatehouse/apimachinery/pod-environment";
import type { AccessRecord } from "@gatehouse/proxy/access";
import { LineBatch } from "@gatehouse/proxy/line-batch";
import type { LineFormat } from "@gatehouse/proxy/line-batch";
import type { GroupAccessLog } from "@gatehouse/proxy/workers/worker-group";
import { openFile, standardOutput } from "./access-log-sink.ts";
import { addAccessLine } from "./access-log.ts";
import type { StaticConfiguration } from "./static-configuration.ts";
import type { RouterNames } from "./traefik-names.ts";

export interface AccessLog {
  write(record: AccessRecord): void;
  /** The same for workers with lines of their own (worker-main.ts). */
  ofWorkers: GroupAccessLog;
  /** Resolves when what was written so far has been handed on. */
  close(): Promise<void>;
}

/** Undefined when none is asked for, or its file must not be written: then `log` is told, and the gateway serves without, as
 * Traefik does. */
export function startAccessLog(
  accessLog: StaticConfiguration["accessLog"],
  routerOf: RouterNames,
  log: Log,
  environment: NodeJS.ProcessEnv = process.env,
): AccessLog | undefined {
  if (!accessLog) return undefined;
  const path = accessLog.filePath && writablePath(accessLog.filePath, environment);
  if (path === undefined) {
    log.error(
      `no access log: --accesslog.filepath=${accessLog.filePath} is in a read-only volume: name a file in an emptyDir ` +
        "volume, or outside of all volumes",
    );
    return undefined;
  }
  const sink = path === "" ? standardOutput() : openFile(path);
  const format: LineFormat = (out, record, router) => addAccessLine(out, record, accessLog, router);
  const batch = new LineBatch(sink, format, (line) => log.warn(line));
  return {
    write: (record) => batch.add(record, routerOf(record.listener, record.route)),
    ofWorkers: { format: accessLog, nameOf: routerOf, write: (lines) => batch.addChunk(lines) },
    close: () => {
      batch.flush();
      return sink.close();
    },
  };
}
