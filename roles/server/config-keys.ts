/** The keys of a configuration one by one, out of its schema: for documents, and for values from the environment. */
import { z } from "zod";
import { MikeySakkeError } from "../../base/errors.ts";

/**
 * The form in which a value of a key is written as text: a list with commas, anything else that is no plain value as
 * JSON.
 */
export type ConfigKeyKind = "number" | "boolean" | "text" | "list" | "json";

export interface ConfigKey {
  readonly path: readonly string[];
  readonly kind: ConfigKeyKind;
  /** Undefined where the key has no default. */
  readonly default: unknown;
  /** Whether it must be there, if what it stands in is. */
  readonly required: boolean;
  /** The innermost object around the key that may be left out; undefined where all around it must be there. */
  readonly within: readonly string[] | undefined;
}

interface Unwrapped {
  readonly schema: z.core.$ZodType;
  readonly default: unknown;
  readonly required: boolean;
}

/** In the order of the schema. Objects are told by their keys, also those that may be left out whole. */
export function configKeys(schema: z.core.$ZodType): ConfigKey[] {
  return keysOf(schema, [], undefined);
}

/** Returns the default of a key as the documents show it: its value, that it is needed and with what, or nothing. */
export function shownDefault({ default: value, required, within }: ConfigKey): string {
  if (value !== undefined) return `\`${JSON.stringify(value)}\``;
  if (!required) return "";
  return within === undefined ? "needed" : `needed with \`${within.join(".")}\``;
}

/** `MIKEY_SAKKE_GMS` and `limits.chunkSize` make `MIKEY_SAKKE_GMS_LIMITS_CHUNK_SIZE`. */
export function variableOf(prefix: string, path: readonly string[]): string {
  const words = path.map((key) => key.replace(/[A-Z]/g, (capital) => `_${capital}`).toUpperCase());
  return [prefix, ...words].join("_");
}

/**
 * A configuration with what the environment says in place of what it says itself. It is not checked.
 *
 * @throws {MikeySakkeError} usage `BAD_ENVIRONMENT` for a variable with that prefix that is no key, or is not of its kind
 */
export function withEnvironment(
  given: object,
  schema: z.core.$ZodType,
  prefix: string,
  environment: Readonly<Record<string, string | undefined>>,
): object {
  const keys = new Map(configKeys(schema).map((key) => [variableOf(prefix, key.path), key]));
  let config = given;
  for (const [name, text] of Object.entries(environment)) {
    if (text === undefined || !name.startsWith(`${prefix}_`)) continue;
    const key = keys.get(name);
    if (key === undefined) throw badVariable(name, "no such key of the configuration");
    config = placed(config, key.path, valueIn(name, text, key.kind));
  }
  return config;
}

function keysOf(schema: z.core.$ZodType, path: readonly string[], within: ConfigKey["within"]): ConfigKey[] {
  const { schema: inner, ...rest } = unwrapped(schema);
  if (!(inner instanceof z.ZodObject)) return [{ path, kind: kindOf(inner), ...rest, within }];
  const around = rest.required ? within : path;
  return Object.entries<z.core.$ZodType>(inner.shape).flatMap(([key, value]) =>
    keysOf(value, [...path, key], around),
  );
}

function unwrapped(schema: z.core.$ZodType): Unwrapped {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    return { ...unwrapped(schema.def.innerType), default: schema.def.defaultValue, required: false };
  }
  if (schema instanceof z.ZodOptional) return { ...unwrapped(schema.def.innerType), required: false };
  return { schema, default: undefined, required: true };
}

function kindOf(schema: z.core.$ZodType): ConfigKeyKind {
  if (schema instanceof z.ZodNumber) return "number";
  if (schema instanceof z.ZodBoolean) return "boolean";
  if (schema instanceof z.ZodArray) return kindOf(schema.element) === "text" ? "list" : "json";
  if (schema instanceof z.ZodUnion)
    return schema.options.some((one) => kindOf(one) === "list") ? "list" : "json";
  return schema instanceof z.ZodRecord || schema instanceof z.ZodObject ? "json" : "text";
}

function valueIn(name: string, text: string, kind: ConfigKeyKind): unknown {
  if (kind === "text") return text;
  if (kind === "list")
    return text
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== "");
  if (kind === "number") {
    if (!/^\d+$/.test(text)) throw badVariable(name, "not a whole number");
    return Number(text);
  }
  if (kind === "boolean") {
    if (text !== "true" && text !== "false") throw badVariable(name, "neither true nor false");
    return text === "true";
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw badVariable(name, "not JSON", cause);
  }
}

/** The value is left out of the message: it may be the password of a database. */
function badVariable(name: string, fault: string, cause?: unknown): MikeySakkeError {
  return new MikeySakkeError("usage", "BAD_ENVIRONMENT", `${name}: ${fault}`, { cause });
}

function placed(config: object, [key, ...rest]: readonly string[], value: unknown): object {
  if (rest.length === 0) return { ...config, [key!]: value };
  const inner = (config as Record<string, unknown>)[key!];
  const base = typeof inner === "object" && inner !== null ? inner : {};
  return { ...config, [key!]: placed(base, rest, value) };
}
