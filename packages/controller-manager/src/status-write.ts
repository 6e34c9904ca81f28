// Statuses are written only when they differ from what is stored: a settled cluster makes no writes.

import { canonical } from "./names.ts";

/** True when the two would be stored differently. Absent, null and empty fields are the same. */
export function statusDiffers(stored: unknown, wanted: unknown): boolean {
  return canonical(stored) !== canonical(wanted);
}
