// A translator that is told changes one by one says what one says that is told everything at once.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { parseAddressPool } from "../gateway-addresses.ts";
import { apiOf } from "../testing/fixtures.ts";
import { randomObject, type Slot, slots } from "../testing/population.ts";
import { createRandom, type Random } from "../testing/random.ts";
import { withRanks } from "../testing/ranks.ts";
import { withStatus } from "./statuses.ts";
import type { TranslateOptions } from "./translate-options.ts";
import { type Translation, Translator } from "./translator.ts";

const options: TranslateOptions = {
  api: apiOf({ version: "v1.6.1", channel: "experimental" }),
  entryPoints: [
    { name: "web", port: 8000, addresses: [{ host: "127.30.1.4", port: 8000 }] },
    { name: "websecure", port: 8443, addresses: [{ host: "127.30.1.4", port: 8443 }] },
    { name: "dns", port: 8053, transport: "udp", addresses: [{ host: "127.30.1.4", port: 8053 }] },
  ],
  reservedPorts: new Map(),
  pool: parseAddressPool("127.30.224.0/24"),
  sharedAddresses: [],
  listenerProblems: new Map(),
};

/** The world around the objects changes too: the release, a socket that cannot be opened, whether there are addresses. */
const { pool: _, ...withoutPool } = options;
const worlds: TranslateOptions[] = [
  options,
  { ...options, api: apiOf({ version: "v1.4.0", channel: "standard" }) },
  { ...options, listenerProblems: new Map([["web", "in use"]]) },
  { ...withoutPool, sharedAddresses: [{ type: "IPAddress", value: "127.30.1.4" }] },
];

/** The API server's part: holds objects, and takes the statuses that are wished for. */
class Cluster {
  readonly objects = new Map<Slot, KubeObject>();
  readonly translator = new Translator();
  options = options;
  #version = 0;

  /** Puts something else, or nothing, into a slot. */
  change(slot: Slot, random: Random): void {
    const old = this.objects.get(slot);
    if (old && random.once(8)) return this.#put(slot, undefined);
    const fresh = randomObject(slot, random);
    // Some are replaced by another of that name; most are changed.
    const isChange = old && !random.once(4);
    const { creationTimestamp, generation = 0, uid } = old?.metadata ?? {};
    const identity = isChange ? { creationTimestamp, uid, generation: generation + 1 } : { uid: `${++this.#version}` };
    const status = isChange ? { status: old.status } : {};
    this.#put(slot, { ...fresh, metadata: { ...fresh.metadata, ...identity } as KubeObject["metadata"], ...status });
  }

  #put(slot: Slot, object: KubeObject | undefined): void {
    const old = this.objects.get(slot);
    if (!old && !object) return;
    if (object) this.objects.set(slot, object);
    else this.objects.delete(slot);
    this.translator.change(slot.kind, { ...(old ? { old } : {}), ...(object ? { current: object } : {}) });
  }

  translate(): Translation {
    const translation = this.translator.translate(this.options);
    for (const update of translation.statuses) {
      const slot = slots.find((each) => this.objects.get(each) === update.object);
      assert.ok(slot, "a status is for an object that is there");
      const written = withStatus(update, update.object, "2026-01-01T00:00:00Z");
      if (written) this.#put(slot, written);
    }
    return translation;
  }

  /** What somebody thinks who has only just come. */
  anew(): Translation {
    const translator = new Translator();
    for (const [{ kind }, current] of this.objects) translator.change(kind, { current });
    return translator.translate(this.options);
  }
}

for (const seed of [1, 2, 3, 4]) {
  test(`after random changes it says what a new one says (seed ${seed})`, () => {
    const random = createRandom(seed);
    const cluster = new Cluster();
    for (const slot of slots) if (!random.once(3)) cluster.change(slot, random);
    for (let step = 0; step < 400; step++) {
      for (let changes = 1 + random.below(3); changes > 0; changes--) cluster.change(random.pick(slots), random);
      if (random.once(20)) cluster.options = random.pick(worlds);
      const { table } = cluster.translate();
      const anew = cluster.anew();
      assert.deepEqual(withRanks(table), withRanks(anew.table), `the table after step ${step}`);
      for (const update of anew.statuses) {
        const wish = withStatus(update, update.object, "2026-01-01T00:00:00Z");
        assert.deepEqual(wish?.status, undefined, `${update.object.kind} after step ${step} says so already`);
      }
    }
  });
}
