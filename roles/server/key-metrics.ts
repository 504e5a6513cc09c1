/** Metrics of when keys and KMS certificates end, so that operators see in time what was not renewed. */
import { Gauge, Registry } from "prom-client";
import type { Initiator, KmsDomain } from "../../bindings/identity/index.ts";

/** The ends of a server's keys and certificates: times in milliseconds since the Unix epoch. */
export interface KeyEnds {
  /** End of the present key period. */
  period(): number;
  /** Last end of a row of key periods from now whose keys the server has; undefined where it has none now. */
  keys?(): number | undefined;
  /** KmsUri and ValidTo of certificates that end. */
  certificates?(): readonly (readonly [string, number])[];
}

/** Returns the ends of the keys of a server that has identity keys. */
export function keyEndsOf(
  current: () => { readonly initiator: Initiator; readonly domains: readonly KmsDomain[] },
  now: () => number,
): KeyEnds {
  const ends = () => current().initiator.endsAt(now());
  return {
    period: () => ends().period,
    keys: () => ends().keys,
    certificates: () =>
      current().domains.flatMap(({ kmsUri, certificate: { validTo } }) =>
        validTo === undefined ? [] : [[kmsUri, validTo] as const],
      ),
  };
}

/** Returns what writes the exposition text. */
export function keyMetrics({ period, keys, certificates }: KeyEnds): () => Promise<string> {
  const registers = [new Registry()];
  new Gauge({
    name: "key_period_end_timestamp_seconds",
    help: "Unix time at which the present key period ends.",
    registers,
    collect() {
      this.set(period() / 1000);
    },
  });
  if (keys !== undefined) {
    new Gauge({
      name: "server_keys_end_timestamp_seconds",
      help: "Unix time up to which the server has its own keys; 0 if it has none now.",
      registers,
      collect() {
        this.set((keys() ?? 0) / 1000);
      },
    });
  }
  if (certificates !== undefined) {
    new Gauge({
      name: "kms_certificate_end_timestamp_seconds",
      help: "Unix time at which the newest certificate of a KMS ends.",
      labelNames: ["kms"],
      registers,
      collect() {
        this.reset();
        const newest = new Map<string, number>();
        for (const [uri, end] of certificates()) newest.set(uri, Math.max(end, newest.get(uri) ?? 0));
        for (const [uri, end] of newest) this.set({ kms: uri }, end / 1000);
      },
    });
  }
  return () => registers[0]!.metrics();
}
