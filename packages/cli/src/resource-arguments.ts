// The positional arguments of get, describe and delete: `TYPE[,TYPE] [NAME...]` or `TYPE/NAME...`.

import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import type { MappedResource, ResourceMapper } from "./resource-mapper.ts";
import { UserError } from "./user-error.ts";

/** One resource to work on; without names, all of its objects (that a selector may narrow). */
export interface ResourceArgument {
  resource: MappedResource;
  names: string[];
}

/** Throws a UserError for a wrong form or an unknown type. */
export function parseResourceArguments(args: readonly string[], mapper: ResourceMapper): ResourceArgument[] {
  if (args.some((arg) => arg.includes("/"))) return args.map((arg) => typeAndName(arg, mapper));
  const [types = "", ...names] = args;
  const resources = types
    .split(",")
    .map((type) => type.trim())
    .filter((type) => type !== "")
    .flatMap((type) => mapper.findAll(type));
  const unique = [...new Set(resources)];
  return unique.map((resource) => ({ resource, names }));
}

function typeAndName(arg: string, mapper: ResourceMapper): ResourceArgument {
  const parts = arg.split("/");
  const [type = "", name = ""] = parts;
  if (parts.length === 1) {
    throw new UserError(
      "there is no need to specify a resource type as a separate argument when passing arguments in resource/name form " +
        `(e.g. 'gatehouse get resource/<resource_name>' instead of 'gatehouse get resource resource/<resource_name>')`,
      2,
    );
  }
  if (parts.length > 2 || type === "" || name === "") {
    throw new UserError("arguments in resource/name form may not have more than one slash, nor an empty part", 2);
  }
  return { resource: mapper.find(type), names: [name] };
}

/** `pod/x`, `httproute.gateway.networking.k8s.io/x`: how kubectl names an object in its messages. */
export function objectRef(type: Pick<ResourceType, "kind" | "group">, name: string): string {
  return `${qualifiedKind(type)}/${name}`;
}

/** `pod`, `httproute.gateway.networking.k8s.io`. */
export function qualifiedKind({ kind, group }: Pick<ResourceType, "kind" | "group">): string {
  return group ? `${kind.toLowerCase()}.${group}` : kind.toLowerCase();
}
