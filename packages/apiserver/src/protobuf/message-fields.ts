// Reads the tables of field numbers. A message is its name and then its fields, all separated by white space:
//   name=3        field 3; zero and empty values count as absent (in Go it is no pointer)
//   name=3?       field 3; when it is on the wire it has a value, be it zero or empty (in Go it is a pointer)
//   ...Message=3  field 3 holds a message whose fields appear in JSON as fields of this one
// Names are those of JSON. Lists and maps need no mark.

import { coreMessages, metaMessages } from "./core-messages.ts";
import * as groups from "./group-messages.ts";

export interface Field {
  /** JSON name; of an embedded message its qualified message name. */
  name: string;
  embedded: boolean;
  /** Zero and empty values are values. */
  pointer: boolean;
}

/** Fields by number. */
export type Fields = ReadonlyMap<number, Field>;

const tables: Record<string, string> = {
  "core.v1": coreMessages,
  "meta.v1": metaMessages,
  "admissionregistration.v1": groups.admissionregistrationMessages,
  "apps.v1": groups.appsMessages,
  "authentication.v1": groups.authenticationMessages,
  "authorization.v1": groups.authorizationMessages,
  "autoscaling.v1": groups.autoscalingMessages,
  "autoscaling.v2": groups.autoscalingV2Messages,
  "batch.v1": groups.batchMessages,
  "coordination.v1": groups.coordinationMessages,
  "discovery.v1": groups.discoveryMessages,
  "events.v1": groups.eventsMessages,
  "networking.v1": groups.networkingMessages,
  "policy.v1": groups.policyMessages,
  "rbac.v1": groups.rbacMessages,
  "scheduling.v1": groups.schedulingMessages,
  "apiextensions.v1": groups.apiextensionsMessages,
};

const messages = new Map<string, Map<number, Field>>();
for (const [goPackage, table] of Object.entries(tables)) readTable(goPackage, table);

function readTable(goPackage: string, table: string): void {
  let fields = new Map<number, Field>();
  for (const token of table.split(/\s+/).filter(Boolean)) {
    const [, dots, name = "", number, pointer] = /^(\.\.\.)?([^=]+)=(\d+)(\?)?$/.exec(token) ?? [];
    if (number === undefined) {
      fields = new Map();
      messages.set(`${goPackage}.${token}`, fields);
      continue;
    }
    const embedded = dots !== undefined;
    fields.set(Number(number), {
      name: embedded ? `${goPackage}.${name}` : name,
      embedded,
      pointer: pointer !== undefined,
    });
  }
}

const none: Fields = new Map();

/** The fields of a message, e.g. `core.v1.PodSpec`; a message not listed has none. */
export function fieldsOf(message: string): Fields {
  return messages.get(message) ?? none;
}
