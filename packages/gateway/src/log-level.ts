// Traefik's --log.level on our log: what is below the level is not written.

import type { Log } from "@gatehouse/apimachinery/log";

const levels = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL", "PANIC"];

/** An unknown level counts as INFO. */
export function filterLog(log: Log, level: string): Log {
  const wanted = levels.includes(level) ? levels.indexOf(level) : levels.indexOf("INFO");
  const isOn = (name: string): boolean => levels.indexOf(name) >= wanted;
  return {
    info: (message) => isOn("INFO") && log.info(message),
    warn: (message) => isOn("WARN") && log.warn(message),
    error: (message, error) => isOn("ERROR") && log.error(message, error),
  };
}
