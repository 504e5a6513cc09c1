/** The servers of a data folder as a dispatcher's browser reaches them: SIP and media over WebSockets, and the KMS. */
import type { TalkBackend } from "../../roles/console/backend.ts";
import type { ConsoleConfig } from "../../roles/console/config.ts";
import { gmsDevelopmentToken } from "../gms/gms-token.ts";
import { mcxDevelopmentToken } from "../mcx/mcx-token.ts";
import { developmentToken } from "../server/folder-tokens.ts";
import { httpsFetch } from "../server/https.ts";
import { usageError } from "../terminal/usage.ts";

export interface TalkServers {
  readonly dataDir: string;
  readonly kms: {
    readonly url: string;
    readonly uri: string /** PEM file to trust. */;
    readonly ca?: string;
  };
  readonly gms: { readonly uri: string; readonly sip: Readonly<Record<string, string>> };
  readonly mcx: {
    readonly uri: string;
    readonly sip: Readonly<Record<string, string>>;
    readonly mediaUrl?: string;
  };
}

/** Seconds. The page asks for others before they are over. */
const TOKEN_LIFETIME = 3600;

/** Undefined where no dispatcher is configured. Usage error BAD_CONFIG where a server has no WebSockets for pages. */
export async function talkBackendOf(
  { origin, dispatcher }: ConsoleConfig,
  { dataDir, kms, gms, mcx }: TalkServers,
  onClose: (close: () => unknown) => void,
): Promise<TalkBackend | undefined> {
  if (dispatcher === undefined) return undefined;
  const isSecure = origin?.startsWith("https:") === true;
  /** A page under HTTPS reaches nothing in clear. */
  const webSocketOf = (server: string, { ws, wss }: Readonly<Record<string, string>>) => {
    const found = isSecure ? wss : (ws ?? wss);
    if (found !== undefined) return found;
    throw missing(`${server}.sip.${isSecure ? "wssPort" : "wsPort"}`);
  };
  const media = mcx.mediaUrl;
  if (media === undefined || (isSecure && !media.startsWith("wss:")))
    throw missing(`mcx.media.${isSecure ? "wssPort" : "wsPort"}`);
  const https = await httpsFetch(kms.ca);
  onClose(() => https.close());
  const lifetime = TOKEN_LIFETIME;
  return {
    kms: { url: kms.url, uri: kms.uri },
    gms: { uri: gms.uri, sip: webSocketOf("gms", gms.sip) },
    mcx: { uri: mcx.uri, sip: webSocketOf("mcx", mcx.sip), media },
    tokens: async (userUri) => ({
      kms: await developmentToken({ dataDir }, { userUri, lifetime }),
      gms: await gmsDevelopmentToken(dataDir, userUri, lifetime),
      mcx: await mcxDevelopmentToken(dataDir, userUri, lifetime),
      lifetime,
    }),
    askKms: (path, body, authorization) =>
      https.fetch(`${kms.url}${path}`, {
        method: "POST",
        headers: { authorization, "content-type": "application/xml", accept: "application/xml" },
        body: body as Uint8Array<ArrayBuffer>,
        redirect: "error",
      }),
  };
}

function missing(key: string): Error {
  return usageError("BAD_CONFIG", `console.dispatcher: dispatchers need ${key}`);
}
