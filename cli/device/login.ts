/** `login`: a person logs in with a browser, and the command line keeps the tokens in a file. */

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fromUtf8 } from "../../base/bytes.ts";
import { pause } from "../../base/deadline.ts";
import { defined } from "../../base/defined.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import { systemRandom } from "../../base/random.ts";
import {
  discover,
  finishLogin,
  loginRequest,
  type OidcClient,
  type OidcFetch,
  type OidcServer,
  type OidcTokens,
  refreshTokens,
} from "../../roles/identity/oidc.ts";
import { replaceFile } from "../files/durable.ts";
import { listenForStop } from "../server/stop.ts";
import { readFile } from "../terminal/files.ts";

export interface LoginOptions {
  readonly issuer: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly resource?: string;
  /** Gets the access token; the refresh token is beside it, with `.refresh` at its end. */
  readonly tokenFile: string;
  /** Port of the redirect URI on 127.0.0.1; 0 takes any free port. */
  readonly port: number;
  readonly timeoutMs: number;
  readonly fetch: OidcFetch;
  /** Shows the person where to go. */
  readonly show: (url: string) => void;
}

/** Seconds, where the server does not say. */
const DEFAULT_LIFETIME = 300;
const SOONEST_MS = 5000;
const CALLBACK = "/callback";
const MAX_TOKEN = 64 << 10;

/** Without a browser where a refresh token does. Errors are those of `roles/identity/oidc.ts`, and transport `LOGIN_TIMED_OUT`. */
export async function login(options: LoginOptions): Promise<OidcTokens> {
  const server = await discover(options.issuer, options.fetch);
  const tokens = (await refreshed(server, options)) ?? (await withBrowser(server, options));
  await replaceFile(options.tokenFile, tokens.accessToken, { secret: true });
  if (tokens.refreshToken !== undefined) {
    await replaceFile(refreshFile(options), tokens.refreshToken, { secret: true });
  }
  return tokens;
}

/** Renews the token in time, until a signal comes. Where no refresh token does, the person is shown where to go again. */
export async function keepLogin(
  options: LoginOptions,
  expiresIn = DEFAULT_LIFETIME,
  note: (text: string) => void,
): Promise<void> {
  const stop = listenForStop();
  try {
    for (let seconds = expiresIn; ; ) {
      const end = await Promise.race([stop.stopped, pause(Math.max(seconds * 500, SOONEST_MS))]);
      if (end !== undefined) return;
      try {
        seconds = (await login(options)).expiresIn ?? DEFAULT_LIFETIME;
      } catch (error) {
        note(String(error));
        seconds = 0;
      }
    }
  } finally {
    stop.release();
  }
}

async function refreshed(server: OidcServer, options: LoginOptions): Promise<OidcTokens | undefined> {
  const { clientId, resource, fetch } = options;
  try {
    const octets = await readFile(refreshFile(options), MAX_TOKEN);
    const client = { clientId, ...defined({ resource }) };
    return await refreshTokens(server, client, fromUtf8(octets, refreshFile(options)).trim(), fetch);
  } catch (error) {
    // There is none, or it has ended: the person logs in again.
    if (error instanceof MikeySakkeError) return undefined;
    throw error;
  }
}

async function withBrowser(server: OidcServer, options: LoginOptions): Promise<OidcTokens> {
  const { clientId, scopes, resource, port, timeoutMs, fetch, show } = options;
  const listener = createServer();
  listener.listen(port, "127.0.0.1");
  await once(listener, "listening");
  try {
    const client: OidcClient = {
      clientId,
      redirectUri: `http://127.0.0.1:${(listener.address() as AddressInfo).port}${CALLBACK}`,
      scopes,
      ...defined({ resource }),
    };
    const request = loginRequest(server, client, systemRandom);
    const answer = answerTo(listener, timeoutMs);
    show(request.url);
    return await finishLogin(server, client, request, await answer, fetch);
  } finally {
    listener.closeAllConnections();
    listener.close();
  }
}

/** Returns what the browser brings to the redirect URI. */
function answerTo(listener: ReturnType<typeof createServer>, timeoutMs: number): Promise<URLSearchParams> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new MikeySakkeError("transport", "LOGIN_TIMED_OUT", "login: nobody has logged in in time"));
    }, timeoutMs);
    listener.on("request", (request, response) => {
      // Any page in the browser can have it ask for anything here, also for what is no URL, such as "//".
      const [path, ...query] = (request.url ?? "").split("?");
      const isAnswer = request.method === "GET" && path === CALLBACK;
      response.writeHead(isAnswer ? 200 : 404, { "content-type": "text/plain; charset=utf-8" });
      response.end(isAnswer ? "You may close this page." : "Not found");
      if (!isAnswer) return;
      clearTimeout(timer);
      resolve(new URLSearchParams(query.join("?")));
    });
  });
}

function refreshFile({ tokenFile }: LoginOptions): string {
  return `${tokenFile}.refresh`;
}
