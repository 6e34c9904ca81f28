// One line per event on standard error, in the shape Kubernetes' own components use: time, level, component, message.

export interface Log {
  info(message: string): void;
  warn(message: string): void;
  error(message: string, error?: unknown): void;
}

/** Secrets never belong in `message`. `write` receives whole lines. */
export function createLog(component: string, write: (line: string) => void = writeToStandardError): Log {
  const line = (level: string, message: string): void =>
    write(`${new Date().toISOString()} ${level} ${component}: ${message}\n`);
  return {
    info: (message) => line("INFO", message),
    warn: (message) => line("WARN", message),
    error: (message, error) => line("ERROR", error === undefined ? message : `${message}: ${reasonOf(error)}`),
  };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function writeToStandardError(text: string): void {
  process.stderr.write(text);
}
