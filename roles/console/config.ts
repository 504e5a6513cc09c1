/** The address on which the operators' console listens, and the origin under which browsers reach it. */
import { z } from "zod";
import { MikeySakkeError } from "../../base/errors.ts";
import { faultsOf } from "../server/faults.ts";
import { isLoopback } from "../server/loopback.ts";

const origin = z
  .string()
  .refine((text) => isOrigin(text), "must be an origin, as https://console.example.org");

export const consoleConfigSchema = z.strictObject({
  listen: z
    .strictObject({
      host: z.string().default("127.0.0.1"),
      port: z.number().int().min(0).max(65535).default(8448),
    })
    .prefault({}),
  /** The origin in the address bar, where it is another than a loopback address with the port. */
  origin: origin.optional(),
  /** Origin of a push-to-talk page that gives development tokens, for the tour of an empty system. On this machine only. */
  talkPage: origin.refine((text) => isOnThisMachine(text), "must be on a loopback address").optional(),
  /** Minutes without a request or an open page after which a session ends. */
  idleMinutes: z.number().int().min(1).max(1440).default(60),
  /** Hours after which a session ends in any case. */
  sessionHours: z.number().int().min(1).max(168).default(12),
});

export type ConsoleConfig = z.output<typeof consoleConfigSchema>;
export type ConsoleConfigInput = z.input<typeof consoleConfigSchema>;

/** @throws {MikeySakkeError} usage BAD_CONFIG, naming each fault */
export function parseConsoleConfig(input: object): ConsoleConfig {
  const parsed = consoleConfigSchema.safeParse(input);
  if (!parsed.success) throw new MikeySakkeError("usage", "BAD_CONFIG", faultsOf(parsed.error, "console"));
  const { listen, origin: named } = parsed.data;
  if (!isLoopback(listen.host) && named?.startsWith("https:") !== true) {
    const text = `console.origin: ${listen.host} is no loopback address: say under which https:// origin browsers reach it`;
    throw new MikeySakkeError("usage", "BAD_CONFIG", text);
  }
  return parsed.data;
}

/** A text that is no origin is refused for that alone. */
function isOnThisMachine(text: string): boolean {
  return !isOrigin(text) || isLoopback(new URL(text).hostname);
}

function isOrigin(text: string): boolean {
  try {
    const url = new URL(text);
    return /^https?:$/.test(url.protocol) && url.origin === text;
  } catch {
    return false;
  }
}
