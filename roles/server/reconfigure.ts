/**
 * A configuration that changes while its server runs. Servers read reloadable keys where they use them, so that a value put in the
 * place of another counts from the next use on.
 */
import { isDeepStrictEqual } from "node:util";
import type { z } from "zod";
import { configKeys } from "./config-keys.ts";
import type { TokenFacts, TokenVerifier } from "./tokens.ts";

/** The changes that another configuration would make. */
export interface Reconfiguration {
  /** Keys with another value that counts from `apply` on. */
  readonly changed: readonly string[];
  /** Keys with another value that the server can take up only by a restart. */
  readonly fixed: readonly string[];
  /** Puts all that has changed into effect at once, and leaves the fixed keys as they are. Does not throw. */
  apply(): void;
}

export interface Running<Config extends object> {
  readonly schema: z.core.$ZodType;
  /** Keys that may change; one of an object stands for all that is in it. */
  readonly reloadable: readonly string[];
  /** The one that the server goes by. */
  readonly config: Config;
  /** Follows the key `tokens`. */
  readonly tokens?: ReplaceableVerifier<Config>;
}

/** @throws {MikeySakkeError} what the making of another token verifier throws */
export function reconfiguration<Config extends object>(
  { schema, reloadable, config, tokens }: Running<Config>,
  next: Config,
): Reconfiguration {
  const changed: string[] = [];
  const fixed = new Set<string>();
  const replaced = new Set<string>();
  for (const { path } of configKeys(schema)) {
    if (isDeepStrictEqual(valueAt(config, path), valueAt(next, path))) continue;
    const key = path.join(".");
    const entry = reloadable.find((one) => `${key}.`.startsWith(`${one}.`));
    if (entry === undefined) fixed.add(key);
    // What comes or goes as a whole makes another server of it: one with development tokens, say.
    else if ([config, next].some((one) => valueAt(one, path.slice(0, entry.split(".").length)) === undefined))
      fixed.add(entry);
    else {
      changed.push(key);
      replaced.add(entry);
    }
  }
  // Also where nothing has changed: a verifier remembers keys that its issuer may have withdrawn.
  const hasIssuer = [config, next].every((one) => valueAt(one, ["tokens"]) !== undefined);
  const replaceVerifier = hasIssuer ? tokens?.prepare(next) : undefined;
  return {
    changed,
    fixed: [...fixed],
    apply() {
      for (const entry of replaced) replace(config, next, entry.split("."));
      replaceVerifier?.();
    },
  };
}

/** Checks each token by the configuration that was last put into effect. */
export class ReplaceableVerifier<Config> implements TokenVerifier {
  readonly #make: (config: Config) => TokenVerifier;
  #present: TokenVerifier;

  constructor(make: (config: Config) => TokenVerifier, config: Config) {
    this.#make = make;
    this.#present = make(config);
  }

  verify(authorization: string | undefined, now: number): Promise<TokenFacts> {
    return this.#present.verify(authorization, now);
  }

  /** Gives what puts the verifier of another configuration in the place of the present one. */
  prepare(config: Config): () => void {
    const next = this.#make(config);
    return () => {
      this.#present = next;
    };
  }
}

function valueAt(config: object, path: readonly string[]): unknown {
  return path.reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], config);
}

function replace(config: object, next: object, path: readonly string[]): void {
  const parent = valueAt(config, path.slice(0, -1)) as Record<string, unknown>;
  parent[path.at(-1)!] = valueAt(next, path);
}
