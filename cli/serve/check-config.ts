/** All that can be found wrong in a configuration without opening a database or a socket. */

import { parseConsoleConfig } from "../../roles/console/config.ts";
import type { KmsConfig } from "../../roles/kms/common/config.ts";
import { parseLogConfig } from "../../roles/server/log-config.ts";
import { isLoopback } from "../../roles/server/loopback.ts";
import { openGmsFolder } from "../gms/gms-folder.ts";
import { requireNamed } from "../kms/server-provisioning.ts";
import { openMcxFolder } from "../mcx/mcx-folder.ts";
import { configFileOf, type FolderOptions, openDataFolder, readConfig } from "../server/data-folder.ts";
import { requireIssuerCa } from "../server/https.ts";
import { requireCredentials, requireFitToServe } from "../server/tls.ts";
import { readFile } from "../terminal/files.ts";
import { usageError } from "../terminal/usage.ts";

/** The identity that a server would have, and where it would listen. */
export type CheckedServer = { readonly uri: string; readonly listens: readonly string[] };

const MAX_SECRET = 64 << 10;

/** Usage errors that name the key: BAD_CONFIG, BAD_ENVIRONMENT, BAD_TLS, FILE_NOT_FOUND and others. */
export async function checkConfig(options: FolderOptions): Promise<Record<string, CheckedServer>> {
  const file = options.config ?? configFileOf(options.dataDir);
  const read = await readConfig(file);
  parseLogConfig(read.log ?? {});
  const checked: Record<string, CheckedServer> = {};
  let kms: KmsConfig | undefined;
  if (read.kms?.kmsUri !== undefined) {
    const { config } = await openDataFolder(options);
    kms = config;
    requireFitToServe(config);
    await requireCredentials(config.tls);
    await requireIssuerCa("tokens", config.tokens);
    checked.kms = { uri: config.kmsUri, listens: [listen("HTTPS", config.listen)] };
  }
  if (read.gms !== undefined) {
    const { config } = await openGmsFolder(options);
    requireFitToServe(config);
    await requireCredentials(config.tls);
    await requireIssuerCa("gms.tokens", config.tokens);
    await requireFiles("gms.provisioning", config.provisioning);
    checked.gms = { uri: config.gmsUri, listens: [listen("XCAP", config.listen), ...sipPorts(config.sip)] };
  }
  if (read.mcx !== undefined) {
    const { config } = await openMcxFolder(options);
    await requireCredentials(config.tls);
    await requireIssuerCa("mcx.tokens", config.tokens);
    await requireFiles("mcx.provisioning", config.provisioning);
    await requireFiles("mcx.gms", config.gms);
    checked.mcx = { uri: config.mcxUri, listens: sipPorts(config.sip) };
  }
  if (read.console !== undefined) {
    const config = parseConsoleConfig(read.console);
    const { host, port } = config.listen;
    const scheme = isLoopback(host) ? "HTTP" : "HTTPS";
    checked.console = {
      uri: config.origin ?? `http://${host}:${port}`,
      listens: [listen(scheme, config.listen)],
    };
  }
  const neighbours = [checked.gms, checked.mcx].flatMap((server) => server?.uri ?? []);
  if (kms !== undefined) requireNamed(kms, neighbours);
  if (Object.keys(checked).length === 0) throw usageError("BAD_CONFIG", `${file}: configures no server`);
  return checked;
}

function listen(name: string, { host, port }: { readonly host: string; readonly port: number }): string {
  return `${name} ${host}:${port}`;
}

function sipPorts(sip: { readonly host: string } | undefined): string[] {
  return Object.entries(sip ?? {}).flatMap(([key, port]: [string, unknown]) =>
    key.endsWith("Port") && typeof port === "number"
      ? [listen(`SIP ${key.slice(0, -"Port".length)}`, { host: sip!.host, port })]
      : [],
  );
}

/** Each file that is named can be read. */
async function requireFiles(place: string, part: object = {}): Promise<void> {
  for (const [key, file] of Object.entries(part)) {
    if (!key.endsWith("File")) continue;
    await readFile(file, MAX_SECRET).catch((cause) => {
      throw usageError("FILE_NOT_FOUND", `${place}.${key}: ${file} cannot be read`, cause);
    });
  }
}
