// Whether and how a container can be started: image, command, probes and environment checked; what is refused is
// refused with the way out.

import type { Container } from "@gatehouse/apimachinery/types/core-v1";
import { imageRepository } from "../images/image-reference.ts";
import type { Image, ImageCatalog } from "../images/catalog.ts";
import { expandVariables } from "./environment.ts";
import { unsupportedHandler } from "../probes/probe-handler.ts";

/** Reason and message of a waiting container. */
export interface Refusal {
  reason: "InvalidImageName" | "ErrImagePull" | "CreateContainerError" | "CreateContainerConfigError";
  message: string;
}

/** The image that plays the container, or why none does. */
export function imageOf(container: Container, catalog: ImageCatalog): Image | Refusal {
  const { image: reference } = container;
  if (!imageRepository(reference)) {
    const message = `Failed to apply default image tag "${reference}": couldn't parse image name: invalid reference format`;
    return { reason: "InvalidImageName", message };
  }
  const image = catalog.resolve(reference);
  if (image) return commandRefusal(container, image) ?? image;
  return {
    reason: "ErrImagePull",
    message:
      `image "${reference}" is not built in, and this cluster pulls no images. Ways out: use a built-in image ` +
      `(${catalog.names.join(", ")}); or run this workload on a cluster with a container runtime, such as kind.`,
  };
}

/** True for the answer of `imageOf` that is a refusal. */
export function isRefusal(value: Image | Refusal): value is Refusal {
  return "reason" in value;
}

function commandRefusal({ command, image: reference }: Container, image: Image): Refusal | undefined {
  const [program] = command ?? [];
  if (program === undefined || image.commands?.includes(program)) return undefined;
  const own = image.commands?.[0];
  return {
    reason: "CreateContainerError",
    message:
      `command ${JSON.stringify(command)} is refused: image "${reference}" is played by a built-in program, and host ` +
      `programs are not run. Leave out command${own ? ` (or use ["${own}"])` : ""} and pass options in args.`,
  };
}

/** The argv: `command` (beyond the program that the image is) comes before `args`; both may name variables as `$(NAME)`. */
export function argvOf(
  { command = [], args = [] }: Container,
  image: Image,
  environment: Record<string, string>,
): string[] {
  const words = [...command.slice(image.namesApplet ? 0 : 1), ...args];
  return [...image.entry, ...words.map((word) => expandVariables(word, environment))];
}

/** Probes and hooks that cannot be carried out here, as a refusal naming the field. */
export function handlerRefusal(container: Container): Refusal | undefined {
  const { readinessProbe, livenessProbe, startupProbe, lifecycle } = container;
  const handlers = { readinessProbe, livenessProbe, startupProbe, "lifecycle.preStop": lifecycle?.preStop };
  for (const [field, handler] of Object.entries(handlers)) {
    const problem = handler && unsupportedHandler(handler);
    if (problem) return { reason: "CreateContainerConfigError", message: `${field}: ${problem}` };
  }
  if (lifecycle?.postStart) {
    return { reason: "CreateContainerConfigError", message: "lifecycle.postStart is not supported yet; leave it out" };
  }
  return undefined;
}
