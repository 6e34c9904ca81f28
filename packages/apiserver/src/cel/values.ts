// The values of the Common Expression Language and how they map to JavaScript: int = bigint, double = number, string, bool, null,
// bytes = Uint8Array, and the classes of this file.

/** An evaluation that has no result: `no such key: x`, `division by zero`, ... `||`, `&&` and macros may absorb it. */
export class CelError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "CelError";
  }
}

export class Uint {
  readonly value: bigint;
  constructor(value: bigint) {
    this.value = value;
  }
}

/** A span of time in nanoseconds. */
export class Duration {
  readonly nanos: bigint;
  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}

/** A point in time in nanoseconds since 1970 (UTC). */
export class Timestamp {
  readonly nanos: bigint;
  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}

export class TypeValue {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

export class Optional {
  readonly value: Value | undefined;
  constructor(value?: Value) {
    this.value = value;
  }
}

export const none = new Optional();

/** How items of a list are told apart, from the schema's x-kubernetes-list-type; absent for plain lists. */
export type Identity = { set: true } | { keys: readonly string[] };

/** A list whose items are made when they are asked for. */
export class List {
  readonly size: number;
  readonly identity: Identity | undefined;
  readonly #item: (index: number) => Value;

  constructor(size: number, item: (index: number) => Value, identity?: Identity) {
    this.size = size;
    this.#item = item;
    this.identity = identity;
  }

  static of(items: readonly Value[], identity?: Identity): List {
    return new List(items.length, (index) => items[index] as Value, identity);
  }

  /** The item at `index`, which must be in range. */
  at(index: number): Value {
    return this.#item(index);
  }

  items(): Value[] {
    return Array.from({ length: this.size }, (_, index) => this.#item(index));
  }
}

/** A map, or an object whose fields are declared (`kind` object): those answer `self.x`, but neither `in` nor macros. */
export interface MapLike {
  readonly kind: "map" | "object";
  readonly size: number;
  /** The value at `key`; undefined when there is none. */
  get(key: Value): Value | undefined;
  /** The names of all entries: of an object also those that expressions have no name for. */
  keys(): Value[];
  /** The value of an entry by its own name. */
  entry(key: Value): Value | undefined;
}

/** A map written in an expression. */
export class LiteralMap implements MapLike {
  readonly kind = "map";
  readonly #entries = new Map<string, [Value, Value]>();

  constructor(entries: readonly [Value, Value][]) {
    for (const [key, value] of entries) {
      const hash = keyHash(key);
      if (hash === undefined) throw new CelError(`unsupported key type: ${typeName(key)}`);
      if (this.#entries.has(hash)) throw new CelError(`Failed with repeated key`);
      this.#entries.set(hash, [key, value]);
    }
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: Value): Value | undefined {
    const hash = keyHash(key);
    return hash === undefined ? undefined : this.#entries.get(hash)?.[1];
  }

  entry(key: Value): Value | undefined {
    return this.get(key);
  }

  keys(): Value[] {
    return [...this.#entries.values()].map(([key]) => key);
  }
}

/** Numbers of different types are one key when they are equal. */
function keyHash(key: Value): string | undefined {
  if (typeof key === "string") return `s${key}`;
  if (typeof key === "boolean") return `b${key}`;
  if (typeof key === "bigint") return `n${key}`;
  if (typeof key === "number") return Number.isInteger(key) ? `n${BigInt(key)}` : `n${key}`;
  return key instanceof Uint ? `n${key.value}` : undefined;
}

/** Values with methods only: IP addresses, quantities, ... */
export abstract class Opaque {
  abstract readonly kind: "ip" | "cidr" | "url" | "quantity" | "semver" | "format" | "json";
  abstract equals(other: Opaque): boolean;
}

export type Value =
  | boolean
  | bigint
  | number
  | string
  | null
  | Uint8Array
  | Uint
  | Duration
  | Timestamp
  | TypeValue
  | Optional
  | List
  | MapLike
  | Opaque;

export type Kind =
  | "bool"
  | "int"
  | "uint"
  | "double"
  | "string"
  | "bytes"
  | "null"
  | "duration"
  | "timestamp"
  | "type"
  | "optional"
  | "list"
  | "map"
  | "object"
  | Opaque["kind"];

export function kindOf(value: Value): Kind {
  switch (typeof value) {
    case "boolean":
      return "bool";
    case "bigint":
      return "int";
    case "number":
      return "double";
    case "string":
      return "string";
    default:
      if (value === null) return "null";
      if (value instanceof List) return "list";
      if (value instanceof Uint8Array) return "bytes";
      if (value instanceof Uint) return "uint";
      if (value instanceof Duration) return "duration";
      if (value instanceof Timestamp) return "timestamp";
      if (value instanceof TypeValue) return "type";
      return value instanceof Optional ? "optional" : value.kind;
  }
}

const typeNames: Partial<Record<Kind, string>> = {
  null: "null_type",
  duration: "google.protobuf.Duration",
  timestamp: "google.protobuf.Timestamp",
  optional: "optional_type",
  ip: "net.IP",
  cidr: "net.CIDR",
  url: "kubernetes.URL",
  quantity: "kubernetes.Quantity",
  semver: "kubernetes.Semver",
  format: "kubernetes.NamedFormat",
};

/** The name that `type(value)` carries. */
export function typeName(value: Value): string {
  const kind = kindOf(value);
  return typeNames[kind] ?? kind;
}
