/** The bound for what nobody has vouched for, as the configuration has it: its log line and its figures for Prometheus. */
import { Counter, Gauge, Registry } from "prom-client";
import { z } from "zod";
import { Admission, DEFAULT_ADMISSION } from "../../transport/admission/admission.ts";
import type { ServerLog } from "./log.ts";

/** Keys among the limits of a server. */
export const admissionSchema = {
  /**
   * Octets for connections, unfinished messages and requests that nobody has vouched for, of all servers of the process;
   * what has waited longest makes room. See SECURITY.md.
   */
  waitingBytes: z
    .number()
    .int()
    .min(4 << 20)
    .default(DEFAULT_ADMISSION.octets),
  /** Connections without proof of one address, or of one /64 of IPv6. Trusted proxies are exempt. */
  waitingPerAddress: z.number().int().min(1).default(DEFAULT_ADMISSION.perAddress),
  /** Connections in all, those with proof included. */
  connections: z.number().int().min(1).default(DEFAULT_ADMISSION.connections),
};

export interface AdmissionConfig {
  readonly waitingBytes: number;
  readonly waitingPerAddress: number;
  readonly connections: number;
}

export function createAdmission(limits: AdmissionConfig, log: ServerLog): Admission {
  const { waitingBytes, waitingPerAddress, connections } = limits;
  return new Admission(
    { octets: waitingBytes, perAddress: waitingPerAddress, connections },
    {
      near({ dropped, ...figures }) {
        log.warn(
          { ...figures, dropped: Object.fromEntries(dropped) },
          "near the limit for what has no proof",
        );
      },
    },
  );
}

/** The exposition text. */
export function admissionMetrics(admission: Admission): () => Promise<string> {
  const registry = new Registry();
  const registers = [registry];
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name: `sockets_${name}`,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  gauge("connections", "Connections of all servers of the process", () => admission.figures.connections);
  gauge("waiting_connections", "Those nobody has vouched for", () => admission.figures.waitingConnections);
  gauge("waiting_octets", "Octets that these take", () => admission.figures.waitingOctets);
  gauge("request_octets", "Octets of requests nobody has vouched for", () => admission.figures.requestOctets);
  new Counter({
    name: "sockets_dropped_total",
    help: "What made room for something newer, or was not taken, by the limit that was reached",
    labelNames: ["reason"],
    registers,
    collect() {
      this.reset();
      for (const [reason, count] of admission.figures.dropped) this.inc({ reason }, count);
    },
  });
  return () => registry.metrics();
}
