/** Reads what an operation is asked with. All errors are usage BAD_ADMIN_REQUEST, naming each fault. */
import type { z } from "zod";
import { MikeySakkeError } from "../../../base/errors.ts";
import { faultsOf } from "../../server/faults.ts";
import type { Call, Operation } from "./operations.ts";
import { PARAMETERS, QUERIES, SCHEMAS } from "./schemas.ts";

export interface RawRequest {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
  readonly ifMatch: string | undefined;
}

export function readRequest(
  operation: Operation,
  raw: RawRequest,
): Pick<Call, "params" | "query" | "body" | "ifRevision"> {
  const params = Object.entries((raw.params ?? {}) as Record<string, string>).map(([name, value]) => [
    name,
    parse(PARAMETERS[name as keyof typeof PARAMETERS], value, name),
  ]);
  const { query, body, ifMatch = false } = operation;
  return {
    params: Object.fromEntries(params),
    query: query === undefined ? undefined : parse(QUERIES[query], raw.query, "query"),
    body: body === undefined ? undefined : parse(SCHEMAS[body], raw.body, "body"),
    ifRevision: ifMatch ? revisionOf(raw.ifMatch) : undefined,
  };
}

function parse(schema: z.ZodType, value: unknown, what: string): unknown {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw bad(faultsOf(parsed.error, what));
}

function revisionOf(header: string | undefined): number | undefined {
  if (header === undefined || header.trim() === "*") return undefined;
  const revision = /^\s*"(\d{1,15})"\s*$/.exec(header)?.[1];
  if (revision === undefined) throw bad("If-Match: not one revision in double quotes");
  return Number(revision);
}

function bad(text: string): MikeySakkeError {
  return new MikeySakkeError("usage", "BAD_ADMIN_REQUEST", text);
}
