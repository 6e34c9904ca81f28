// The error every API verb answers with: a meta/v1 Status, thrown as a value and rendered once at the edge.

export interface StatusCause {
  reason: string;
  message: string;
  field?: string;
}

export interface Status {
  apiVersion: "v1";
  kind: "Status";
  metadata: Record<string, unknown>;
  status: "Success" | "Failure";
  message: string;
  reason: string;
  details?: {
    name?: string;
    group?: string;
    kind?: string;
    uid?: string;
    causes?: StatusCause[];
    retryAfterSeconds?: number;
  };
  code: number;
}

/** An API failure. `status` is exactly what travels on the wire. */
export class StatusError extends Error {
  readonly status: Status;

  constructor(status: Omit<Status, "apiVersion" | "kind" | "metadata" | "status">) {
    super(status.message);
    this.name = "StatusError";
    this.status = { apiVersion: "v1", kind: "Status", metadata: {}, status: "Failure", ...status };
  }

  get code(): number {
    return this.status.code;
  }

  get reason(): string {
    return this.status.reason;
  }
}

/** True when `error` is a StatusError with this reason, e.g. `NotFound`, `AlreadyExists`, `Conflict`. */
export function hasReason(error: unknown, reason: string): boolean {
  return error instanceof StatusError && error.reason === reason;
}

/** What an error is about: the plural resource (and its group, empty for core) and the object's name. */
export interface ErrorSubject {
  group: string;
  plural: string;
  name?: string;
}

const qualified = (subject: ErrorSubject): string =>
  subject.group ? `${subject.plural}.${subject.group}` : subject.plural;

function details(subject: ErrorSubject): NonNullable<Status["details"]> {
  return {
    ...(subject.name ? { name: subject.name } : {}),
    ...(subject.group ? { group: subject.group } : {}),
    kind: subject.plural,
  };
}

export function notFound(subject: ErrorSubject): StatusError {
  return new StatusError({
    code: 404,
    reason: "NotFound",
    message: `${qualified(subject)} "${subject.name ?? ""}" not found`,
    details: details(subject),
  });
}

export function alreadyExists(subject: ErrorSubject): StatusError {
  return new StatusError({
    code: 409,
    reason: "AlreadyExists",
    message: `${qualified(subject)} "${subject.name ?? ""}" already exists`,
    details: details(subject),
  });
}

export function conflict(subject: ErrorSubject, why: string): StatusError {
  return new StatusError({
    code: 409,
    reason: "Conflict",
    message: `Operation cannot be fulfilled on ${qualified(subject)} "${subject.name ?? ""}": ${why}`,
    details: details(subject),
  });
}

/** 422: `causes` name each wrong field. `kind` is the CamelCase kind, as kubectl prints it. */
export function invalid(subject: { group: string; kind: string; name: string }, causes: StatusCause[]): StatusError {
  const lines = causes.map((cause) => (cause.field ? `${cause.field}: ${cause.message}` : cause.message));
  const list = lines.length === 1 ? lines[0] : `[${lines.join(", ")}]`;
  const kind = subject.group ? `${subject.kind}.${subject.group}` : subject.kind;
  return new StatusError({
    code: 422,
    reason: "Invalid",
    message: `${kind} "${subject.name}" is invalid: ${list}`,
    details: {
      ...(subject.name ? { name: subject.name } : {}),
      ...(subject.group ? { group: subject.group } : {}),
      kind: subject.kind,
      causes,
    },
  });
}

export function badRequest(message: string): StatusError {
  return new StatusError({ code: 400, reason: "BadRequest", message });
}

export function forbidden(message: string, subject?: ErrorSubject): StatusError {
  return new StatusError({
    code: 403,
    reason: "Forbidden",
    message,
    ...(subject ? { details: details(subject) } : {}),
  });
}

export function unauthorized(): StatusError {
  return new StatusError({ code: 401, reason: "Unauthorized", message: "Unauthorized" });
}

/** 410: the resourceVersion is older than the history kept; the client must list again. */
export function expired(message: string): StatusError {
  return new StatusError({ code: 410, reason: "Expired", message });
}
