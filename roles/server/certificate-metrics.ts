/** The expiry time of the TLS certificate of a server, so that operators can renew it. */
import { X509Certificate } from "node:crypto";
import { Gauge, Registry } from "prom-client";
import type { Credentials } from "./listener.ts";

/** The exposition text: of the certificate in use, if it is from a file. */
export function certificateMetrics(credentials: Credentials | undefined): () => Promise<string> {
  const registry = new Registry();
  new Gauge({
    name: "tls_certificate_expiry_timestamp_seconds",
    help: "Unix time at which the TLS certificate of the server ends.",
    labelNames: ["file"],
    registers: [registry],
    collect() {
      this.reset();
      const used = credentials?.used?.();
      if (used === undefined) return;
      this.set({ file: used.file }, Date.parse(new X509Certificate(used.cert).validTo) / 1000);
    },
  });
  return () => registry.metrics();
}
