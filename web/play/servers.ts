/** KMS, GMS and MCX server for pages on this machine: `mikey-sakke serve` as a process of its own, with a group in it. */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { consoleLink } from "../../cli/console/link.ts";
import { gmsDevelopmentToken } from "../../cli/gms/gms-token.ts";
import { readRunning } from "../../cli/gms/running-file.ts";
import { OPERATOR, withGmsAdmin } from "../../cli/gms/with-admin.ts";
import { mcxDevelopmentToken } from "../../cli/mcx/mcx-token.ts";
import { developmentToken } from "../../cli/server/folder-tokens.ts";
import { httpsFetch } from "../../cli/server/https.ts";
import type { GmsAdminClient } from "../../roles/gms/admin/client.ts";
import type { OidcSignIn, Tokens } from "../client/config.ts";
import { type WatchedChild, watchChild } from "./child.ts";
import { KMS_PATH, openPageSite, type PageSite, TOKEN_PATH } from "./site.ts";

export const GROUP = "sip:fire@example.org";
export const MEMBERS = ["alice", "bob", "carol"].map((name) => `sip:${name}@example.org`);

export interface Play {
  readonly site: PageSite;
  /** Data folder of the servers. */
  readonly folder: string;
  /** The operations of the GMS. */
  operate<T>(use: (admin: GmsAdminClient) => Promise<T>): Promise<T>;
  /** Signs in to the operators' console once. */
  console(): Promise<string>;
  /** Resolves to a text for people when the servers have ended by themselves. */
  readonly died: Promise<string>;
  close(): Promise<void>;
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const TOKEN_LIFETIME = 3600;
const [FIRST_PORT, PORTS] = [12_000, 20_000];

export interface PlayOptions {
  /** The port of the page; 0 is any. */
  readonly port: number;
  /** Leaves out the group. */
  readonly isEmpty?: boolean;
  /** An identity management server in place of development tokens. */
  readonly signIn?: PlaySignIn;
}

export interface PlaySignIn {
  readonly page: OidcSignIn;
  /** The facts that servers must know of it: variables of their environment, as `MIKEY_SAKKE_KMS_TOKENS_ISSUER`. */
  readonly servers: Readonly<Record<string, string>>;
}

export async function play({ port, isEmpty = false, signIn }: PlayOptions): Promise<Play> {
  const closers: (() => unknown)[] = [];
  const close = async () => {
    for (let next = closers.pop(); next !== undefined; next = closers.pop()) await next();
  };
  try {
    const site = await openPageSite({ folder: join(ROOT, "web/dist/client"), port });
    closers.push(() => site.close());
    const temporary = await mkdtemp(join(tmpdir(), "mikey-sakke-play-"));
    closers.push(() => rm(temporary, { recursive: true, force: true }));
    const folder = join(temporary, "data");
    const { died, stop } = await serve(folder, site.origin, signIn);
    closers.push(stop);
    const running = await readRunning(folder);
    const { kmsUri, kmsUrl, gmsUri, sip, mcx, ca } = running;
    const https = await httpsFetch(ca);
    closers.push(() => https.close());
    const operate = <T>(use: (admin: GmsAdminClient) => Promise<T>) => withGmsAdmin({ dataDir: folder }, use);
    if (!isEmpty) {
      await operate((admin) =>
        admin.createGroup(OPERATOR, { uri: GROUP, members: MEMBERS.map((uri) => ({ uri })) }),
      );
    }
    site.serve({
      config: {
        kms: { url: kmsUrl, uri: kmsUri, via: `${site.origin}${KMS_PATH}` },
        gms: { uri: gmsUri, sip: sip.ws! },
        mcx: { uri: mcx!.uri, sip: mcx!.sip.ws!, media: mcx!.mediaUrl! },
        signIn: signIn?.page ?? { development: TOKEN_PATH },
      },
      tokens: signIn === undefined ? (user) => developmentTokensOf(folder, user) : undefined,
      kms: (path, body, authorization) =>
        https.fetch(`${kmsUrl}${path}`, {
          method: "POST",
          headers: { authorization, "content-type": "application/xml", accept: "application/xml" },
          body,
        } as never) as unknown as Promise<Response>,
    });
    return { site, folder, operate, console: () => consoleLink({ dataDir: folder }), died, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function developmentTokensOf(folder: string, user: string): Promise<Tokens> {
  return {
    kms: await developmentToken({ dataDir: folder }, { userUri: user, lifetime: TOKEN_LIFETIME }),
    gms: await gmsDevelopmentToken(folder, user, TOKEN_LIFETIME),
    mcx: await mcxDevelopmentToken(folder, user, TOKEN_LIFETIME),
    lifetime: TOKEN_LIFETIME,
  };
}

/** Listening. */
async function serve(folder: string, origin: string, signIn: PlaySignIn | undefined): Promise<WatchedChild> {
  const env = {
    ...process.env,
    ...signIn?.servers,
    MIKEY_SAKKE_GMS_SIP_ORIGINS: origin,
    MIKEY_SAKKE_MCX_SIP_ORIGINS: origin,
    MIKEY_SAKKE_CONSOLE_TALK_PAGE: origin,
    ...dispatcherOf(signIn),
    MIKEY_SAKKE_MCX_SIP_WS_PORT: "0",
    MIKEY_SAKKE_MCX_MEDIA_WS_PORT: "0",
  };
  // The servers are told the origin of the console, so its port is chosen before.
  const ports = ["--port", "0", "--console-port", String(await freePort())];
  const args = ["serve", "--data-dir", folder, ...ports, "--log-level", "warn", "--json"];
  const child = spawn(process.execPath, [join(ROOT, "dist/cli/main.js"), ...args], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const watched = watchChild("mikey-sakke serve", child);
  let text = "";
  for await (const chunk of child.stdout.setEncoding("utf8").iterator({ destroyOnReturn: false })) {
    text += chunk;
    if (text.includes("\n")) break;
  }
  child.stdout.resume();
  // Servers that cannot listen say why, and end.
  if (!text.includes('"listening"')) throw new Error(`the servers did not start: ${await watched.died}`);
  return watched;
}

/** Dispatchers sign in as the members do. */
function dispatcherOf(signIn: PlaySignIn | undefined): Record<string, string> {
  const prefix = "MIKEY_SAKKE_CONSOLE_DISPATCHER";
  if (signIn === undefined) return { [`${prefix}_DEVELOPMENT_TOKENS`]: "true" };
  const { issuer, clientId, resource } = signIn.page;
  return {
    [`${prefix}_ISSUER`]: issuer,
    [`${prefix}_CLIENT_ID`]: clientId,
    ...(resource !== undefined && { [`${prefix}_RESOURCE`]: resource }),
  };
}

/** A port below those that systems give to connections: one of these could take it before the console does. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((closed) => server.close(closed));
    return port;
  }
}
