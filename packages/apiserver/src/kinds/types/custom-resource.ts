// CustomResourceDefinitions, but for the schemas inside them (apiextensions.k8s.io/v1).

import { jsonSchemaProps } from "./json-schema.ts";
import {
  anyObject,
  bool,
  bytes,
  field,
  int32,
  listBy,
  listOf,
  oneOf,
  str,
  strings,
  struct,
  time,
} from "../schema-helpers.ts";

const serviceReference = struct(
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ServiceReference",
  "A Service that answers webhooks.",
  {
    "name!": str(),
    "namespace!": str(),
    path: str(),
    port: int32(undefined, { default: 443 }),
  },
);

const webhookClientConfig = struct(
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.WebhookClientConfig",
  "How to reach a webhook.",
  {
    caBundle: bytes(),
    service: serviceReference,
    url: str(),
  },
);

const webhookConversion = struct(
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.WebhookConversion",
  "A webhook that converts objects.",
  {
    clientConfig: webhookClientConfig,
    "conversionReviewVersions!": strings(),
  },
);

const customResourceConversion = struct(
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceConversion",
  "How objects move between versions.",
  {
    "strategy!": oneOf(["None", "Webhook"], "None (only apiVersion changes) or Webhook."),
    webhook: webhookConversion,
  },
);

const customResourceDefinitionNames = struct(
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionNames",
  "Names of the resource.",
  {
    categories: strings("Groups of resources it belongs to, e.g. all."),
    "kind!": str("The kind."),
    listKind: str("Kind of lists; the kind with List when absent."),
    "plural!": str("Plural name, as in URLs."),
    shortNames: strings("Short names for command lines."),
    singular: str("Singular name; the kind in lower case when absent."),
  },
);

const customResourceColumnDefinition = struct(
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceColumnDefinition",
  "A column of kubectl get.",
  {
    description: str("What the column shows."),
    format: str("Format of the cells."),
    "jsonPath!": str("Path of the value within the object."),
    "name!": str("Heading of the column."),
    priority: int32("0 is always shown; more only with -o wide."),
    "type!": str("Type of the cells: integer, number, string, boolean or date."),
  },
);

const customResourceSubresourceScale = struct(
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresourceScale",
  "Where the scale subresource finds its numbers.",
  {
    labelSelectorPath: str(),
    "specReplicasPath!": str(),
    "statusReplicasPath!": str(),
  },
);

const customResourceSubresources = struct(
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresources",
  "Subresources of the resource.",
  {
    scale: customResourceSubresourceScale,
    status: anyObject(),
  },
);

const customResourceValidation = struct(
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceValidation",
  "How objects are validated.",
  {
    openAPIV3Schema: field(jsonSchemaProps, "The structural schema."),
  },
);

const selectableField = struct(
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.SelectableField",
  "A field that can be selected by.",
  {
    "jsonPath!": str(),
  },
);

const customResourceDefinitionVersion = struct(
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionVersion",
  "One version of the resource.",
  {
    additionalPrinterColumns: listOf(customResourceColumnDefinition, "Columns of kubectl get."),
    deprecated: bool("True: using it warns."),
    deprecationWarning: str("The warning."),
    "name!": str("Name of the version, e.g. v1."),
    schema: field(customResourceValidation, "How objects are validated."),
    selectableFields: listOf(selectableField),
    "served!": bool("Whether it is served.", { default: false }),
    "storage!": bool("Whether objects are stored in it; true for exactly one.", { default: false }),
    subresources: field(customResourceSubresources, "Subresources of the resource."),
  },
);

export const customResourceDefinitionSpec = struct(
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionSpec",
  "A kind of objects that the server is to serve.",
  {
    conversion: field(customResourceConversion, "How objects move between versions.", {
      default: { strategy: "None" },
    }),
    "group!": str("The API group."),
    "names!": field(customResourceDefinitionNames, "Names of the resource."),
    preserveUnknownFields: bool("Must be false."),
    "scope!": oneOf(["Cluster", "Namespaced"], "Namespaced or Cluster."),
    "versions!": listOf(customResourceDefinitionVersion, "The versions."),
  },
);

const customResourceDefinitionCondition = struct(
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionCondition",
  "One aspect of a definition's state.",
  {
    lastTransitionTime: time(),
    message: str(),
    reason: str(),
    "status!": str(),
    "type!": str(),
  },
);

export const customResourceDefinitionStatus = struct(
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionStatus",
  "What has become of a definition.",
  {
    acceptedNames: field(customResourceDefinitionNames, "Names that are served."),
    conditions: listBy(["type"], customResourceDefinitionCondition, "NamesAccepted, Established and others.", {
      patch: "none",
    }),
    storedVersions: strings("Versions that objects have been stored in."),
  },
);
