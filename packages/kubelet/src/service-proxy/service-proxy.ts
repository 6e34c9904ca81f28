// What kube-proxy and a load balancer do, for this one node: ports of NodePort and LoadBalancer Services are opened on the
// node's address and carried to ready endpoints, and a LoadBalancer's status says its address when it can be reached.

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import { createInformer, type Informer } from "@gatehouse/apimachinery/informer";
import type { Log } from "@gatehouse/apimachinery/log";
import { objectKey } from "@gatehouse/apimachinery/meta";
import type { ListenAddress } from "@gatehouse/apimachinery/pod-environment";
import { hasReason } from "@gatehouse/apimachinery/status-error";
import {
  type LoadBalancerIngress,
  type ObjectReference,
  type Service,
  services,
} from "@gatehouse/apimachinery/types/core-v1";
import { type EndpointSlice, endpointSlices, serviceNameLabel } from "@gatehouse/apimachinery/types/discovery-v1";
import { createWorkQueue, type WorkQueue } from "@gatehouse/apimachinery/work-queue";
import type { EventRecorder } from "../events.ts";
import type { Admission, ChooseTargets } from "../network/tcp-forwarder.ts";
import { affinityOf, createBalancer, endpointsOf } from "./endpoints.ts";
import { createAdmission, serviceLimits } from "./limits.ts";
import { ingressOf, type NodePlaces, type Opening, openingsOf, unsupportedPorts } from "./openings.ts";
import { placeText, refusalOf } from "./refusal.ts";
import { createServicePorts, keyOf, type ServicePorts } from "./service-ports.ts";

export interface ServiceProxyOptions extends NodePlaces {
  client: ApiClient;
  log: Log;
  events: EventRecorder;
}

export interface ServiceProxy {
  /** Resolves when every Service has been looked at once: what can be open is open. */
  ready: Promise<void>;
  /** Closes all ports and connections. Statuses stay as they are. */
  stop(): Promise<void>;
}

/** Another program may give a port back without telling. */
const retryMs = 5_000;
/** What befalls connections is said once in this time, however many there are. */
const sayAgainMs = 60_000;

/** Never throws: what cannot be done is an Event about the Service, or logged, and tried again. */
export function startServiceProxy(options: ServiceProxyOptions): ServiceProxy {
  const proxy = new NodeServiceProxy(options);
  return { ready: proxy.start(), stop: () => proxy.stop() };
}

/** A Service with ports on the node. */
interface Served {
  ports: ServicePorts;
  openings: Opening[];
  balancers: Map<string, ChooseTargets>;
  affinityMs: number | undefined;
  /** By port name; emptied when a slice changes. */
  endpoints: Map<string, ListenAddress[]>;
  /** What the last Event about its ports said. */
  said: string;
  /** What Events said about its connections, and when (milliseconds). */
  saidAt: Map<string, number>;
}

class NodeServiceProxy {
  readonly #options: ServiceProxyOptions;
  readonly #services: Informer<Service>;
  readonly #slices: Informer<EndpointSlice>;
  readonly #queue: WorkQueue;
  readonly #served = new Map<string, Served>();
  /** Of all Services, by the Service's key and the slice's name. */
  readonly #slicesOf = new Map<string, Map<string, EndpointSlice>>();
  /** Closed for good, with connections that go on. */
  readonly #gone = new Set<ServicePorts>();
  readonly #connections = createAdmission(serviceLimits.connections);
  readonly #places = createAdmission(serviceLimits.places);
  #following: Promise<void> | undefined;

  constructor(options: ServiceProxyOptions) {
    this.#options = options;
    const onError = (error: unknown): void => options.log.warn(`service proxy: ${(error as Error).message}`);
    this.#services = createInformer(options.client, services, { onError });
    this.#slices = createInformer(options.client, endpointSlices, { onError });
    this.#queue = createWorkQueue({
      reconcile: (key) => this.#reconcile(key),
      onError: (key, error) => options.log.warn(`service proxy ${key}: ${(error as Error).message}`),
    });
  }

  async start(): Promise<void> {
    this.#slices.onChange(({ old, current }) => this.#sliceChanged(old, current));
    this.#services.onChange(({ old, current }) => {
      const service = current ?? old;
      if (service && this.#concerns(service)) this.#queue.add(objectKey(service));
    });
    await this.#services.start();
    await this.#queue.idle();
  }

  async stop(): Promise<void> {
    this.#services.stop();
    this.#slices.stop();
    await this.#queue.stop();
    for (const { ports } of this.#served.values()) ports.destroy();
    for (const ports of this.#gone) ports.destroy();
  }

  /** Most Services are reached inside the cluster only: they cost this question. */
  #concerns(service: Service): boolean {
    const { type } = service.spec;
    const asksFor = type === "NodePort" || type === "LoadBalancer";
    const hasIngress = (service.status?.loadBalancer?.ingress ?? []).length > 0;
    return asksFor || hasIngress || this.#served.has(objectKey(service));
  }

  async #reconcile(key: string): Promise<void> {
    const service = this.#services.objects.get(key);
    const openings = service && !service.metadata.deletionTimestamp ? openingsOf(service, this.#options) : [];
    const served = this.#served.get(key) ?? (openings.length > 0 ? this.#serve(key) : undefined);
    if (openings.length > 0) await this.#followSlices();
    if (served) await this.#open(key, served, openings, service);
    if (!service) return;
    if (served) this.#report(service, served);
    await this.#writeStatus(service, openings, served?.ports);
  }

  #serve(key: string): Served {
    const served: Served = {
      ports: createServicePorts({
        choose: (portName) => (client) => this.#elsewhere(key, served, this.#balancer(key, served, portName)(client)),
        connections: this.#admission(key, () => served),
        places: this.#places,
      }),
      openings: [],
      balancers: new Map(),
      affinityMs: undefined,
      endpoints: new Map(),
      said: "",
      saidAt: new Map(),
    };
    this.#served.set(key, served);
    return served;
  }

  #admission(key: string, served: () => Served): Admission {
    const { connectionsPerService, connections } = serviceLimits;
    const own = createAdmission(connectionsPerService, this.#connections);
    const refuse = (): false => {
      const limits = `${connectionsPerService} at once to a Service, or ${connections} to all of this node`;
      const message = `connections are reset: more than ${limits}, are not carried; close some, or go through a Gateway`;
      this.#sayOnce(key, served(), "TooManyConnections", message);
      return false;
    };
    return { enter: () => own.enter() || refuse(), leave: () => own.leave() };
  }

  /** Without the targets that lead back here, be it over other Services: such a connection would never arrive, and beget others
   * until no file descriptor is left. A pod on the host's network has the node's address, and may not listen. */
  *#elsewhere(key: string, served: Served, targets: Iterable<ListenAddress>): Generator<ListenAddress> {
    for (const target of targets) {
      const holder = this.#listenerOn(target);
      if (holder === undefined) yield target;
      else {
        const message =
          `endpoint ${placeText(target)} is not used: Service ${holder} has this port of the node open, and connections ` +
          "would come back; declare the port in the pod's spec (ports), or give the Service another";
        this.#sayOnce(key, served, "EndpointLoops", message);
      }
    }
  }

  #listenerOn(place: ListenAddress): string | undefined {
    for (const [key, { ports }] of this.#served) if (ports.listensOn(place)) return key;
    return undefined;
  }

  #sayOnce(key: string, served: Served, reason: string, message: string): void {
    const service = this.#services.objects.get(key);
    if (!service || Date.now() - (served.saidAt.get(message) ?? -Infinity) < sayAgainMs) return;
    served.saidAt.set(message, Date.now());
    this.#options.events.record(reference(service), "Warning", reason, message);
  }

  async #open(key: string, served: Served, openings: Opening[], service: Service | undefined): Promise<void> {
    const affinityMs = service && affinityOf(service);
    if (affinityMs !== served.affinityMs) served.balancers.clear();
    served.affinityMs = affinityMs;
    const before = served.openings;
    served.openings = openings;
    await served.ports.sync(openings);
    if (openings.length === 0) {
      this.#served.delete(key);
      this.#gone.add(served.ports);
      void served.ports.close().then(() => this.#gone.delete(served.ports));
    }
    const kept = new Set(openings.map(({ place }) => keyOf(place)));
    if (before.some(({ place }) => !kept.has(keyOf(place)))) this.#retryOthers(key);
  }

  /** Ports have become free that others may be waiting for. */
  #retryOthers(key: string): void {
    for (const [other, { ports }] of this.#served) if (other !== key && ports.refused.size > 0) this.#queue.add(other);
  }

  #balancer(key: string, served: Served, portName: string): ChooseTargets {
    let balancer = served.balancers.get(portName);
    if (!balancer) {
      const endpoints = (): ListenAddress[] => {
        const known = served.endpoints.get(portName);
        if (known) return known;
        const found = endpointsOf(this.#slicesOf.get(key)?.values() ?? [], portName);
        served.endpoints.set(portName, found);
        return found;
      };
      balancer = createBalancer(endpoints, served.affinityMs);
      served.balancers.set(portName, balancer);
    }
    return balancer;
  }

  /** Nobody's endpoints are of interest before the first Service has a port here. */
  #followSlices(): Promise<void> {
    this.#following ??= this.#slices.start();
    return this.#following;
  }

  #sliceChanged(old: EndpointSlice | undefined, current: EndpointSlice | undefined): void {
    const before = old && serviceOf(old);
    const now = current && serviceOf(current);
    if (old && before !== undefined && before !== now) this.#slicesOf.get(before)?.delete(old.metadata.name);
    if (before !== undefined && this.#slicesOf.get(before)?.size === 0) this.#slicesOf.delete(before);
    if (current && now !== undefined) {
      const slices = this.#slicesOf.get(now) ?? new Map<string, EndpointSlice>();
      this.#slicesOf.set(now, slices.set(current.metadata.name, current));
    }
    for (const key of [before, now]) if (key !== undefined) this.#served.get(key)?.endpoints.clear();
  }

  /** Says what is refused and why, once. */
  #report(service: Service, served: Served): void {
    const holder = (place: ListenAddress): string | undefined => {
      const found = [...this.#served].find(
        ([, other]) => other !== served && other.openings.some((each) => keyOf(each.place) === keyOf(place)),
      );
      return found?.[0];
    };
    const sentences = [
      ...[...served.ports.refused].flatMap(([place, code]) => refusalOf(place, code, holder(place)) ?? []),
      ...unsupportedPorts(service).map(
        ({ port, protocol = "" }) => `port ${port}/${protocol} is not opened: only TCP is carried to Services here`,
      ),
    ];
    if (served.ports.refused.size > 0 && sentences.length > 0) this.#queue.addAfter(objectKey(service), retryMs);
    const said = sentences.join("; ");
    if (said === served.said) return;
    served.said = said;
    const about = reference(service);
    for (const sentence of sentences) this.#options.events.record(about, "Warning", "PortUnavailable", sentence);
  }

  async #writeStatus(service: Service, openings: Opening[], ports: ServicePorts | undefined): Promise<void> {
    const ingress = ingressOf(service, openings, (opening) => ports?.isOpen(opening) === true, this.#options.nodeIP);
    if (ingress === undefined || service.metadata.deletionTimestamp) return;
    if (sameIngress(service.status?.loadBalancer?.ingress ?? [], ingress)) return;
    const status = { ...service.status, loadBalancer: ingress.length > 0 ? { ingress } : {} };
    try {
      await this.#options.client.updateStatus(services, { ...service, status });
    } catch (error) {
      if (!hasReason(error, "NotFound")) throw error;
    }
  }
}

function reference({ metadata: { name, namespace = "", uid = "" } }: Service): ObjectReference {
  return { apiVersion: "v1", kind: "Service", name, namespace, uid };
}

function serviceOf({ metadata: { namespace, labels } }: EndpointSlice): string | undefined {
  const name = labels?.[serviceNameLabel];
  return name === undefined ? undefined : `${namespace}/${name}`;
}

function sameIngress(one: LoadBalancerIngress[], other: LoadBalancerIngress[]): boolean {
  const text = (all: LoadBalancerIngress[]): string =>
    JSON.stringify(all.map(({ ip, hostname, ipMode = "VIP" }) => [ip, hostname, ipMode]));
  return text(one) === text(other);
}
