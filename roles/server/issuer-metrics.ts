/** Whether the token issuers of this process can be asked for their keys. */
import { Gauge, Registry } from "prom-client";

const up = new Map<string, boolean>();
let registry: Registry | undefined;

/** `jwksUri`: of the issuer that was asked; `answered`: whether its keys came. */
export function noteIssuer(jwksUri: string, answered: boolean): void {
  up.set(jwksUri, answered);
}

/** The exposition text. All listeners of a process tell the same. */
export function issuerMetrics(): Promise<string> {
  if (registry === undefined) {
    registry = new Registry();
    new Gauge({
      name: "token_issuer_up",
      help: "1 if the last request for the keys of a token issuer was answered with them, else 0.",
      labelNames: ["jwks_uri"],
      registers: [registry],
      collect() {
        this.reset();
        for (const [jwksUri, answered] of up) this.set({ jwks_uri: jwksUri }, answered ? 1 : 0);
      },
    });
  }
  return registry.metrics();
}
