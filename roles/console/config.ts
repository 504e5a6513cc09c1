/** The address on which the operators' console listens, and the origin under which browsers reach it. */
import { z } from "zod";
import { MikeySakkeError } from "../../base/errors.ts";
import { faultsOf } from "../server/faults.ts";
import { isLoopback } from "../server/loopback.ts";

const origin = z
  .string()
  .refine((text) => isOrigin(text), "must be an origin, as https://console.example.org");

const dispatcher = z.strictObject({
  /** Whether operators who have signed in get development tokens for any user. On this machine only. */
  developmentTokens: z.boolean().default(false),
  /** URL of the OpenID Connect server (the identity management server of TS 33.180 annex B). */
  issuer: z.url({ protocol: /^https?$/ }).optional(),
  /** The console as a public client of that server. */
  clientId: z.string().min(1).optional(),
  /** Those of the push-to-talk page when absent. */
  scopes: z.array(z.string().min(1)).min(1).optional(),
  /** Resource for which the tokens are meant, if the server requires it (RFC 8707). */
  resource: z.url().optional(),
});

export type DispatcherConfig = z.output<typeof dispatcher>;

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
  /**
   * How dispatchers, who take part in calls from the console, sign in as MC users. Without it nobody hears or says anything in
   * the console.
   */
  dispatcher: dispatcher.optional(),
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
  const { listen, origin: named, dispatcher: ofCalls } = parsed.data;
  if (!isLoopback(listen.host) && named?.startsWith("https:") !== true) {
    const text = `console.origin: ${listen.host} is no loopback address: say under which https:// origin browsers reach it`;
    throw new MikeySakkeError("usage", "BAD_CONFIG", text);
  }
  const fault = ofCalls && dispatcherFault(ofCalls, named ?? `http://${listen.host}`);
  if (fault !== undefined) throw new MikeySakkeError("usage", "BAD_CONFIG", `console.dispatcher${fault}`);
  return parsed.data;
}

/** Returns what is wrong, behind the key of the part. Anybody's tokens are for operators on this machine. */
function dispatcherFault(
  { developmentTokens, issuer, clientId }: DispatcherConfig,
  origin: string,
): string | undefined {
  if (developmentTokens) {
    if (issuer !== undefined || clientId !== undefined)
      return ": development tokens and an issuer exclude each other";
    if (!isLoopback(new URL(origin).hostname))
      return ".developmentTokens: the console must be on a loopback address";
    return undefined;
  }
  if (issuer === undefined || clientId === undefined)
    return ": needs issuer and clientId, or developmentTokens";
  return undefined;
}

/** The origins under which browsers reach the console; its port is fixed. */
export function consoleOrigins({ origin, listen: { host, port } }: ConsoleConfig): readonly string[] {
  if (origin !== undefined) return [origin];
  const named = host.includes(":") ? `[${host}]` : host;
  return [...new Set([named, "127.0.0.1", "localhost"])].map((name) => `http://${name}:${port}`);
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
