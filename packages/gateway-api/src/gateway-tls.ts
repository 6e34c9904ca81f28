// How a Gateway checks the certificates of its clients, for all its HTTPS listeners or port by port.

import { portNumber } from "./names.ts";
import { objectReference } from "./references.ts";
import { atomicList, enumeration, type Infer, mapList, object, rule } from "./schema-builder.ts";

const validation = object("Which client certificates are accepted.", {
  caCertificateRefs: atomicList("ConfigMaps or Secrets with the authorities that are trusted.", objectReference, {
    minItems: 1,
    maxItems: 8,
  }).when({ since: "v1.6.1" }, { maxItems: 16 }),
  mode: enumeration("Whether clients without a valid certificate are refused.", [
    "AllowValidOnly",
    "AllowInsecureFallback",
  ]).default("AllowValidOnly"),
});

const settings = object("TLS towards clients.", { validation: validation.optional() });

const portSettings = object("Settings for one port.", {
  port: portNumber("Port these settings are for."),
  tls: settings.describe("Settings that replace the default."),
});

export const frontendTLS = object("TLS towards clients.", {
  default: settings.describe("Settings of every HTTPS listener without its own."),
  perPort: mapList("Settings for single ports.", ["port"], portSettings, { maxItems: 64 })
    .rules(
      rule(
        "Port for TLS configuration must be unique within the Gateway",
        "self.all(t1, self.exists_one(t2, t1.port == t2.port))",
      ),
    )
    .optional(),
});
export type FrontendTLSConfig = Infer<typeof frontendTLS>;
