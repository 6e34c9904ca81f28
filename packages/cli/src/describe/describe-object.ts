// `describe` for one object: the head, the view of its kind or the plain tree, and its events.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { StatusError } from "@gatehouse/apimachinery/status-error";
import type { ClientContext } from "../client-context.ts";
import { describeDeployment } from "./deployment.ts";
import { createDescribeWriter } from "./describe-writer.ts";
import { describeHead, type DescribeView, type Surroundings } from "./describe-parts.ts";
import { describeEvents } from "./events.ts";
import { describeGateway, describeGatewayClass } from "./gateway.ts";
import { describeTree } from "./generic.ts";
import { describeHttpRoute } from "./http-route.ts";
import { describePod } from "./pod.ts";
import { describeService } from "./service.ts";

/** By `group/Kind`. */
const views: Readonly<Record<string, DescribeView>> = {
  "/Pod": describePod,
  "/Service": describeService,
  "apps/Deployment": describeDeployment,
  "gateway.networking.k8s.io/GatewayClass": describeGatewayClass,
  "gateway.networking.k8s.io/Gateway": describeGateway,
  "gateway.networking.k8s.io/HTTPRoute": describeHttpRoute,
};

export async function describeObject(object: KubeObject, around: Surroundings): Promise<string> {
  const writer = createDescribeWriter();
  const group = object.apiVersion.includes("/") ? object.apiVersion.split("/")[0] : "";
  describeHead(writer, object);
  const view = views[`${group}/${object.kind}`] ?? describeTree;
  await view(writer, object, around);
  await describeEvents(writer, object, around);
  return writer.toString();
}

/** What the views may ask of the cluster of `context`. A refusal leaves a part out, a broken connection does not. */
export function surroundingsOf(context: ClientContext): Surroundings {
  return {
    list: async (type, options) => {
      try {
        return (await context.client.list(type, options)).items;
      } catch (error) {
        if (error instanceof StatusError) return undefined;
        throw error;
      }
    },
    typesOf: async (group) => {
      const { resources } = await context.mapper();
      const types = resources.filter((each) => each.group === group);
      return types.filter((each, index) => types.findIndex(({ plural }) => plural === each.plural) === index);
    },
  };
}
