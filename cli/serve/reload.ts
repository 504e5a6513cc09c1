/**
 * The work of SIGHUP, without ending a call or a connection: certificates are read anew, then the configuration, of
 * which all that has changed counts from then on, or nothing.
 */
import { readFile } from "node:fs/promises";
import { type ConsoleConfig, consoleConfigSchema } from "../../roles/console/config.ts";
import type { LeveledLog, ServerLog } from "../../roles/server/log.ts";
import { LOG_RELOADABLE, logConfigSchema, parseLogConfig } from "../../roles/server/log-config.ts";
import { type Reconfiguration, reconfiguration } from "../../roles/server/reconfigure.ts";
import { warnOfCertificateEnds } from "../server/certificate-end.ts";
import { type ConfigFile, readConfig } from "../server/data-folder.ts";
import type { Credentials } from "../server/tls.ts";

export interface LogOptions {
  readonly logLevel?: string;
}

export interface Reloaded {
  readonly credentials: readonly (Credentials | undefined)[];
  /** The changes of each part, by the name under which the file has its keys. Those of the KMS stand at the top. */
  readonly parts: Readonly<
    Partial<Record<"kms" | "gms" | "mcx" | "console", () => Promise<Reconfiguration>>>
  >;
  readonly options: LogOptions;
  /** The configuration. */
  readonly file: string;
  readonly log: LeveledLog;
}

/** Does not throw: whatever is wrong is logged. */
export async function reload({ credentials, parts, options, file, log }: Reloaded): Promise<void> {
  await renewCertificates(credentials, log);
  try {
    // Each part reads it for itself: all must have seen the same.
    const content = await readFile(file);
    const all: Reconfiguration[] = [];
    for (const [part, reconfigure] of Object.entries(parts)) all.push(under(part, await reconfigure()));
    all.push(under("log", reconfiguredLog(log, logLevelOf(options, await readConfig(file)))));
    if (!content.equals(await readFile(file))) {
      throw new Error(`${file}: changed while it was read; send SIGHUP again`);
    }
    const fixed = all.flatMap((one) => one.fixed);
    if (fixed.length > 0) {
      throw new Error(
        fixed.map((key) => `${key}: cannot change while the server runs; restart it`).join("; "),
      );
    }
    for (const one of all) one.apply();
    log.info({ changed: all.flatMap(({ changed }) => changed) }, "configuration read anew");
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    log.error({ detail }, "configuration refused: all of the one before it stays in use");
  }
}

/** Certificates that were renewed in their files are given out from then on, and no call ends. */
async function renewCertificates(all: readonly (Credentials | undefined)[], log: ServerLog): Promise<void> {
  for (const credentials of all) {
    if (credentials === undefined) continue;
    const { certFile } = credentials;
    try {
      await credentials.renew();
      log.info({ certFile }, "certificate read anew");
    } catch (error) {
      log.error(
        { certFile, detail: String(error) },
        "certificate not read anew: the one before it stays in use",
      );
    }
  }
  warnOfCertificateEnds(all, Date.now(), log);
}

/** Returns a reconfiguration with its keys as the file has them. */
function under(part: string, { changed, fixed, apply }: Reconfiguration): Reconfiguration {
  const named = (key: string) => (part === "kms" ? key : `${part}.${key}`);
  return { changed: changed.map(named), fixed: fixed.map(named), apply };
}

/** The command line has the last word. Usage error BAD_CONFIG. */
export function logLevelOf({ logLevel }: LogOptions, { log }: ConfigFile): string {
  const { level } = parseLogConfig(log ?? {});
  return logLevel ?? level;
}

function reconfiguredLog(log: LeveledLog, level: string): Reconfiguration {
  const config: { level: string } = log;
  return reconfiguration({ schema: logConfigSchema, reloadable: LOG_RELOADABLE, config }, { level });
}

/** The settings of the console are fixed at its start. */
export function reconfiguredConsole(config: ConsoleConfig, next: ConsoleConfig): Reconfiguration {
  return reconfiguration({ schema: consoleConfigSchema, reloadable: [], config }, next);
}
