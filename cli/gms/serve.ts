/** `serve` and `serve gms`: KMS, GMS and MCX server of a data folder in one process, or the GMS alone. */
import { createLog } from "../../roles/server/log.ts";
import type { Provisioning } from "../../roles/server/provisioning-config.ts";
import { addServers, folderConfig } from "../kms/make-folder.ts";
import { openSealedDatabase } from "../kms/open-store.ts";
import { commandLines, warnOfDevelopmentTokens } from "../kms/serve.ts";
import { localProvisioning, requireWayToKms } from "../kms/server-provisioning.ts";
import { firstKmsConfig, prepareKms, type RunningKms, startKms } from "../kms/start.ts";
import { listenForStop } from "../kms/stop.ts";
import type { McxFolder } from "../mcx/data-folder.ts";
import { firstMcxConfig, prepareMcx } from "../mcx/prepare.ts";
import { type RunningMcx, startMcx } from "../mcx/start.ts";
import type { Output } from "../output.ts";
import type { GmsFolder } from "./data-folder.ts";
import { firstGmsConfig, type GmsServeOptions, prepareGms } from "./prepare.ts";
import { removeRunning, writeRunning } from "./running-file.ts";
import { type PreparedGms, type RunningGms, startGms } from "./start.ts";

export interface ServeAllOptions extends GmsServeOptions {
  readonly kmsUri?: string;
  readonly gmsUri?: string;
  readonly mcxUri?: string;
  readonly database?: string;
  readonly logLevel: string;
}

/** Ports of the MCX server, behind those of the KMS and the GMS. */
const MCX_ADMIN = 4;
const MCX_SIP = 10;

export async function serveAll(options: ServeAllOptions, output: Output): Promise<void> {
  const { gmsUri, mcxUri, port, sipPort } = options;
  const firstGms = firstGmsConfig(gmsUri === undefined ? {} : { gmsUri });
  const first = { gms: firstGms, mcx: firstMcxConfig(mcxUri === undefined ? {} : { mcxUri }) };
  const read = await folderConfig(options, { kms: firstKmsConfig(options), ...first }, output);
  await addServers(options, read, first, output);
  const kms = await prepareKms({ ...options, http: false }, read, output);
  // The KMS has the first two ports.
  const own = port === undefined ? {} : { port: port === 0 ? 0 : port + 2 };
  const sip = port === 0 && sipPort === undefined ? { sipPort: 0 } : {};
  const gms = await prepareGms({ ...options, ...own, ...sip }, output);
  const provisioning = localProvisioning(gms.data.config, kms);
  requireWayToKms({ provisioning }, "gms");
  const mcx = await preparedMcx(options, gms);
  const mcxProvisioning = localProvisioning(mcx.config, kms);
  requireWayToKms({ provisioning: mcxProvisioning }, "mcx");
  const stop = listenForStop();
  const log = createLog(options.logLevel);
  const opened = await openSealedDatabase(
    { url: kms.data.config.database?.url, files: kms.data.files },
    process.env,
  ).catch(stop.failed);
  try {
    const runningKms = await startKms(kms, opened, log);
    // The MCX server reads who is in a group.
    const groupReaders = [...new Set([...gms.data.config.groupReaders, mcx.config.mcxUri])];
    const withKms = knowing(gms, { kmsUrl: runningKms.url, provisioning, groupReaders });
    const runningGms = await startGms(withKms, opened, log);
    const { xcapUrl: xcapRoot } = runningGms;
    const mcxGms =
      read.mcx !== undefined && "gms" in read.mcx ? mcx.config.gms! : { ...mcx.config.gms!, xcapRoot };
    const known = { kmsUrl: runningKms.url, provisioning: mcxProvisioning, gms: mcxGms };
    const config = { ...mcx.config, ...known };
    const runningMcx = await startMcx({ ...mcx, config }, gms.credentials, opened.onClose, log);
    opened.onClose(() => removeRunning(options.dataDir));
    await announce(output, withKms, runningGms, runningKms, { ...runningMcx, uri: config.mcxUri });
    output.note(`${await stop.stopped}: stopping`);
  } finally {
    await opened.close();
    stop.release();
  }
}

function preparedMcx(options: ServeAllOptions, gms: PreparedGms): Promise<McxFolder> {
  const { port, sipPort } = options;
  const sip = sipPort ?? (port === 0 ? 0 : undefined);
  // Where the GMS answers is known once it does.
  const { gmsUri } = gms.data.config;
  return prepareMcx(
    {
      ...options,
      ...(port !== undefined && { adminPort: port === 0 ? 0 : port + MCX_ADMIN }),
      ...(sip !== undefined && { sipPort: sip === 0 ? 0 : sip + MCX_SIP }),
    },
    { uri: gmsUri, xcapRoot: "https://localhost/xcap" },
  );
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
  known: Pick<GmsFolder["config"], "kmsUrl" | "provisioning" | "groupReaders">,
): PreparedGms {
  return { data: { ...data, config: { ...data.config, ...known } }, credentials };
}

async function announce(
  output: Output,
  { data, credentials }: PreparedGms,
  gms: RunningGms,
  kms: RunningKms | undefined,
  mcx?: RunningMcx & { readonly uri: string },
): Promise<void> {
  const { folder, config } = data;
  const { gmsUri, kmsUri, kmsUrl } = config;
  const development = config.tokens === undefined;
  const ca = credentials?.selfSigned ? credentials.certFile : undefined;
  const { xcapUrl: xcapRoot, adminUrl, sip } = gms;
  const trusted = ca === undefined ? {} : { ca };
  const mcxPlace = mcx && { uri: mcx.uri, sip: mcx.sip };
  const running = { kmsUri, kmsUrl: kmsUrl!, gmsUri, xcapRoot, sip, ...(mcxPlace && { mcx: mcxPlace }) };
  await writeRunning(folder, { ...running, ...trusted });
  if (development) warnOfDevelopmentTokens(output);
  const places = { gmsUri, xcapRoot, sip, adminUrl, ...(kms && { kmsAdminUrl: kms.adminUrl }) };
  output.ready(
    {
      status: "listening",
      kmsUri,
      kmsUrl,
      ...places,
      ...(mcx && { mcxUri: mcx.uri, mcxSip: mcx.sip, mcxAdminUrl: mcx.adminUrl }),
      dataDir: folder,
      ...trusted,
      developmentTokens: development,
      pid: process.pid,
    },
    () => [
      ...(kms === undefined ? [] : [`KMS ${kmsUri}, ready at ${kms.url}`]),
      `GMS ${gmsUri}, ready at ${xcapRoot}`,
      ...Object.entries(sip).map(([way, uri]) => `SIP ${way.padEnd(15)} ${uri}`),
      ...(mcx === undefined ? [] : [`MCX server ${mcx.uri}, ready at ${mcx.sip.udp}`]),
      `health and metrics  ${[kms?.adminUrl, adminUrl, mcx?.adminUrl].filter((url) => url !== undefined).join(", ")}`,
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
