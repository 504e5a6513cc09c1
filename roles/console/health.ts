/** The health of a server: what its health check says, and the figures of its metrics that have no label. */
import { withTimeout } from "../../base/deadline.ts";
import type { AdminApi } from "./backend.ts";
import type { HealthView, ServerName } from "./messages.ts";

const ANSWER_MS = 2000;
/** Figures that move without telling anything. */
const RESTLESS =
  /^(?:nodejs_gc|process_cpu_user|process_cpu_system|process_start|process_virtual|nodejs_external)/;
const SAMPLE = /^([a-z_0-9]+) ([0-9.e+-]+)$/;

export async function healthOf(
  server: ServerName,
  { url }: AdminApi,
  send: typeof fetch,
): Promise<HealthView> {
  try {
    return await withTimeout(ANSWER_MS, async (signal) => {
      const health = await send(new URL("/health/ready", url), { signal });
      const { code, waiting } = (await health.json()) as { code?: string; waiting?: string };
      const metrics = await send(new URL("/metrics", url), { signal });
      const figures = metrics.ok ? figuresOf(await metrics.text()) : {};
      return { server, ok: health.ok, detail: code ?? waiting ?? "", figures };
    });
  } catch {
    return { server, ok: false, detail: "no answer", figures: {} };
  }
}

export function figuresOf(text: string): Record<string, number> {
  const figures: Record<string, number> = {};
  for (const line of text.split("\n")) {
    const [, name, value] = SAMPLE.exec(line) ?? [];
    if (name !== undefined && !RESTLESS.test(name)) figures[name] = Number(value);
  }
  return figures;
}
