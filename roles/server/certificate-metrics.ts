/** Expiry times of the TLS certificates of this process, so that operators can renew them. */
import { Gauge, Registry } from "prom-client";

const ends = new Map<string, number>();
let registry: Registry | undefined;

/** `file`: that the certificate was read from; `notAfter`: Unix time in milliseconds. */
export function noteCertificate(file: string, notAfter: number): void {
  ends.set(file, notAfter / 1000);
}

/** The exposition text. All listeners of a process tell the same. */
export function certificateMetrics(): Promise<string> {
  if (registry === undefined) {
    registry = new Registry();
    new Gauge({
      name: "tls_certificate_expiry_timestamp_seconds",
      help: "Unix time at which a TLS certificate of this process ends.",
      labelNames: ["file"],
      registers: [registry],
      collect() {
        this.reset();
        for (const [file, seconds] of ends) this.set({ file }, seconds);
      },
    });
  }
  return registry.metrics();
}
