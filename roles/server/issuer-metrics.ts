/** Metrics that say whether the token issuers of a server can be asked for their keys. */
import { Gauge, Registry } from "prom-client";

/** By the URI of their JWK Sets: whether the last request for the keys was answered with them. */
export class IssuerStates {
  readonly #answered = new Map<string, boolean>();

  note(jwksUri: string, answered: boolean): void {
    this.#answered.set(jwksUri, answered);
  }

  [Symbol.iterator](): Iterator<[string, boolean]> {
    return this.#answered.entries();
  }
}

/** The exposition text. */
export function issuerMetrics(states: IssuerStates): () => Promise<string> {
  const registry = new Registry();
  new Gauge({
    name: "token_issuer_up",
    help: "1 if the last request for the keys of a token issuer was answered with them, else 0.",
    labelNames: ["jwks_uri"],
    registers: [registry],
    collect() {
      this.reset();
      for (const [jwksUri, answered] of states) this.set({ jwks_uri: jwksUri }, answered ? 1 : 0);
    },
  });
  return () => registry.metrics();
}
