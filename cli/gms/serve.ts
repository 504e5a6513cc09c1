/** `serve` and `serve gms`: KMS and GMS of a data folder in one process, or the GMS alone. */
import { createLog } from "../../roles/server/log.ts";
import type { Provisioning } from "../../roles/server/provisioning-config.ts";
import { addServers, folderConfig } from "../kms/make-folder.ts";
import { openSealedDatabase } from "../kms/open-store.ts";
import { commandLines, warnOfDevelopmentTokens } from "../kms/serve.ts";
import { localProvisioning, requireWayToKms } from "../kms/server-provisioning.ts";
import { firstKmsConfig, prepareKms, type RunningKms, startKms } from "../kms/start.ts";
import { listenForStop } from "../kms/stop.ts";
import type { Output } from "../output.ts";
import type { GmsFolder } from "./data-folder.ts";
import { firstGmsConfig, type GmsServeOptions, prepareGms } from "./prepare.ts";
import { removeRunning, writeRunning } from "./running-file.ts";
import { type PreparedGms, type RunningGms, startGms } from "./start.ts";

export interface ServeAllOptions extends GmsServeOptions {
  readonly kmsUri?: string;
  readonly gmsUri?: string;
  readonly database?: string;
  readonly logLevel: string;
}

export async function serveAll(options: ServeAllOptions, output: Output): Promise<void> {
  const { gmsUri, port } = options;
  const firstGms = firstGmsConfig(gmsUri === undefined ? {} : { gmsUri });
  const read = await folderConfig(options, { kms: firstKmsConfig(options), gms: firstGms }, output);
  await addServers(options, read, { gms: firstGms }, output);
  const kms = await prepareKms({ ...options, http: false }, read, output);
  // The KMS has the first two ports.
  const own = port === undefined ? {} : { port: port === 0 ? 0 : port + 2 };
  const sip = port === 0 && options.sipPort === undefined ? { sipPort: 0 } : {};
  const gms = await prepareGms({ ...options, ...own, ...sip }, output);
  const provisioning = localProvisioning(gms.data.config, kms);
  requireWayToKms({ provisioning }, "gms");
  const stop = listenForStop();
  const log = createLog(options.logLevel);
  const opened = await openSealedDatabase(
    { url: kms.data.config.database?.url, files: kms.data.files },
    process.env,
  ).catch(stop.failed);
  try {
    const runningKms = await startKms(kms, opened, log);
    const withKms = knowing(gms, { kmsUrl: runningKms.url, provisioning });
    const runningGms = await startGms(withKms, opened, log);
    opened.onClose(() => removeRunning(options.dataDir));
    await announce(output, withKms, runningGms, runningKms);
    output.note(`${await stop.stopped}: stopping`);
  } finally {
    await opened.close();
    stop.release();
  }
}

export interface ServeGmsOptions extends GmsServeOptions {
  readonly gmsUri?: string;
  readonly kmsUri?: string;
  readonly kmsUrl?: string;
  readonly provisioning: Provisioning;
  readonly database?: string;
  readonly logLevel: string;
}

export async function serveGms(options: ServeGmsOptions, output: Output): Promise<void> {
  const { gmsUri, kmsUri, kmsUrl, provisioning, database } = options;
  const given = {
    ...(gmsUri !== undefined && { gmsUri }),
    ...(kmsUri !== undefined && { kmsUri }),
    ...(kmsUrl !== undefined && { kmsUrl }),
    ...(Object.keys(provisioning).length > 0 && { provisioning }),
  };
  const first = firstGmsConfig({ ...given, ...(database !== undefined && { database: { url: database } }) });
  const read = await folderConfig(options, { gms: first }, output);
  await addServers(options, read, { gms: first }, output);
  const sip = options.port === 0 && options.sipPort === undefined ? { sipPort: 0 } : {};
  const gms = await prepareGms({ ...options, ...sip }, output, given);
  requireWayToKms(gms.data.config, "gms");
  const { config, files } = gms.data;
  const stop = listenForStop();
  const opened = await openSealedDatabase({ url: config.database?.url, files }, process.env).catch(
    stop.failed,
  );
  try {
    const running = await startGms(gms, opened, createLog(options.logLevel));
    opened.onClose(() => removeRunning(options.dataDir));
    await announce(output, gms, running, undefined);
    output.note(`${await stop.stopped}: stopping`);
  } finally {
    await opened.close();
    stop.release();
  }
}

function knowing(
  { data, credentials }: PreparedGms,
  known: Pick<GmsFolder["config"], "kmsUrl" | "provisioning">,
): PreparedGms {
  return { data: { ...data, config: { ...data.config, ...known } }, credentials };
}

async function announce(
  output: Output,
  { data, credentials }: PreparedGms,
  gms: RunningGms,
  kms: RunningKms | undefined,
): Promise<void> {
  const { folder, config } = data;
  const { gmsUri, kmsUri, kmsUrl } = config;
  const development = config.tokens === undefined;
  const ca = credentials?.selfSigned ? credentials.certFile : undefined;
  const { xcapUrl: xcapRoot, adminUrl, sip } = gms;
  const trusted = ca === undefined ? {} : { ca };
  await writeRunning(folder, { kmsUri, kmsUrl: kmsUrl!, gmsUri, xcapRoot, sip, ...trusted });
  if (development) warnOfDevelopmentTokens(output);
  const places = { gmsUri, xcapRoot, sip, adminUrl, ...(kms && { kmsAdminUrl: kms.adminUrl }) };
  output.ready(
    {
      status: "listening",
      kmsUri,
      kmsUrl,
      ...places,
      dataDir: folder,
      ...trusted,
      developmentTokens: development,
      pid: process.pid,
    },
    () => [
      ...(kms === undefined ? [] : [`KMS ${kmsUri}, ready at ${kms.url}`]),
      `GMS ${gmsUri}, ready at ${xcapRoot}`,
      ...Object.entries(sip).map(([way, uri]) => `SIP ${way.padEnd(15)} ${uri}`),
      `health and metrics  ${[kms?.adminUrl, adminUrl].filter((url) => url !== undefined).join(", ")}`,
      `data folder         ${folder}`,
      "",
      "Make a group, and be a member of it:",
      ...commandLines([
        `mikey-sakke group create sip:fire@example.org sip:alice@example.org${inFolder(folder)}`,
      ]),
      ...commandLines([`mikey-sakke client run --local ${folder} --user sip:alice@example.org`]),
    ],
  );
}

function inFolder(folder: string): string {
  return folder === "mikey-sakke-data" ? "" : ` --data-dir ${folder}`;
}
