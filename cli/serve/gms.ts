/** `serve` and `serve gms`: KMS, GMS and MCX server of a data folder in one process, or the GMS alone. */

import { defined } from "../../base/defined.ts";
import { type ConsoleConfig, consoleOrigins, parseConsoleConfig } from "../../roles/console/config.ts";
import type { GmsConfig } from "../../roles/gms/common/config.ts";
import type { McxConfig } from "../../roles/mcx/common/config.ts";
import { createAdmission } from "../../roles/server/admission.ts";
import { createLog } from "../../roles/server/log.ts";
import type { Provisioning } from "../../roles/server/provisioning-config.ts";
import { type RunningConsole, startConsole } from "../console/start.ts";
import { firstGmsConfig, type GmsServeOptions, prepareGms } from "../gms/prepare.ts";
import { removeRevokedUsers } from "../gms/revoked-users.ts";
import { removeRunning, writeRunning } from "../gms/running-file.ts";
import { type PreparedGms, type RunningGms, startGms } from "../gms/start.ts";
import {
  localProvisioning,
  requireWayToKms,
  reservedServers,
  reserving,
} from "../kms/server-provisioning.ts";
import { firstKmsConfig, prepareKms, type RunningKms, startKms } from "../kms/start.ts";
import { firstMcxConfig, prepareMcx } from "../mcx/prepare.ts";
import { type RunningMcx, startMcx } from "../mcx/start.ts";
import { warnOfCertificateEnds } from "../server/certificate-end.ts";
import { type ConfigFile, readConfig } from "../server/data-folder.ts";
import { warnOfFewDescriptors } from "../server/descriptors.ts";
import { environmentOf } from "../server/environment.ts";
import { DEFAULT_FOLDER } from "../server/folder-options.ts";
import { lasting, partOf, portAfter } from "../server/listen-options.ts";
import { addServers, type ReadConfig, startOnFolder } from "../server/make-folder.ts";
import { openAtStart } from "../server/open-store.ts";
import { listenForReload, listenForStop } from "../server/stop.ts";
import type { Output } from "../terminal/output.ts";
import { usageError } from "../terminal/usage.ts";
import { commandLines, warnOfDevelopmentTokens } from "./kms.ts";
import { type LogOptions, logLevelOf, reconfiguredConsole, reload } from "./reload.ts";

export interface ServeAllOptions extends GmsServeOptions, LogOptions {
  readonly kmsUri?: string;
  readonly gmsUri?: string;
  readonly mcxUri?: string;
  readonly consolePort?: number;
  readonly database?: string;
  /** Makes a KMS in an empty database also where the folder had one before. */
  readonly init?: boolean;
}

/** Ports of the servers, behind the first ones of the KMS and of SIP. */
const XCAP = 2;
const MCX_ADMIN = 4;
const CONSOLE = 5;
const MCX_SIP = 10;

type FirstServers = Parameters<typeof addServers>[2];

export async function serveAll(options: ServeAllOptions, output: Output): Promise<void> {
  const { gmsUri, mcxUri } = options;
  const each = optionsOfEach(options);
  const first = {
    gms: firstGmsConfig(each.gms, defined({ gmsUri })),
    mcx: firstMcxConfig(each.mcx, defined({ mcxUri })),
  };
  const servers = reservedServers({ gmsUri: first.gms.gmsUri, mcxUri: first.mcx.mcxUri });
  const kms = { ...firstKmsConfig(each.kms), servers };
  // The console has an address of its own, which --host does not move.
  const listen = partOf(lasting(defined({ port: each.consolePort })));
  const firstConfig = { kms, ...first, ...(listen && { console: { listen } }) };
  await startOnFolder(options, firstConfig, output, (read, keep) =>
    runAll({ options, first, read, keep }, output),
  );
}

/** Returns the options of each server. With any ports for HTTPS those of SIP are any too, unless the options name them. */
function optionsOfEach(options: ServeAllOptions) {
  const { port, sipPort = port === 0 ? 0 : undefined, consolePort } = options;
  const from = (n: number) => portAfter(port, n);
  return {
    kms: { ...options, http: false },
    gms: { ...options, ...defined({ port: from(XCAP), sipPort }) },
    mcx: {
      ...options,
      ...defined({ adminPort: from(MCX_ADMIN), sipPort: portAfter(sipPort, MCX_SIP) }),
    },
    consolePort: consolePort ?? from(CONSOLE),
  };
}

interface Run<Options> {
  readonly options: Options;
  readonly first: FirstServers;
  readonly read: ReadConfig;
  /** Keeps what was made of the folder. */
  readonly keep: () => void;
}

async function runAll({ options, first, read, keep }: Run<ServeAllOptions>, output: Output): Promise<void> {
  const each = optionsOfEach(options);
  await addServers(options, read, first, output);
  const prepared = await prepareKms(each.kms, read, output);
  const gms = await prepareGms(each.gms, output);
  // Where the GMS answers is known once it does.
  const place = { uri: gms.data.config.gmsUri, xcapRoot: "https://localhost/xcap" };
  const mcx = await prepareMcx(each.mcx, place);
  const consoleConfig = consoleConfigOf(options, read);
  const { gmsUri } = gms.data.config;
  const { mcxUri } = mcx.data.config;
  const kms = reserving(prepared, { gmsUri, mcxUri });
  requireWayToKms({ provisioning: localProvisioning(gms.data.config, kms, gmsUri) }, "gms");
  requireWayToKms({ provisioning: localProvisioning(mcx.data.config, kms, mcxUri) }, "mcx");
  const stop = listenForStop();
  const log = createLog(logLevelOf(options, read));
  warnOfFewDescriptors(gms.data.config.limits.connections, log);
  const credentials = [prepared.credentials, gms.credentials];
  warnOfCertificateEnds(credentials, Date.now(), log);
  const signal = listenForReload();
  const opened = await openAtStart(
    { database: kms.data.config.database, files: kms.data.files },
    environmentOf(),
    keep,
  ).catch(stop.failed);
  try {
    const dispatchers = dispatcherOrigins(consoleConfig);
    // One bound for the sockets of the process, by the limits of the GMS.
    const admission = createAdmission(gms.data.config.limits, log);
    const runningKms = await startKms(kms, opened, log, admission);
    const { url: kmsUrl } = runningKms;
    const withKms = knowing(gms, (config) => ({
      ...config,
      // The certificate of the KMS may be for the name that the configuration has, and for no address.
      kmsUrl: config.kmsUrl ?? kmsUrl,
      provisioning: localProvisioning(config, kms, gmsUri),
      // The MCX server reads the members of groups.
      groupReaders: [...new Set([...config.groupReaders, mcxUri])],
      ...(config.sip && { sip: permitting(config.sip, dispatchers) }),
    }));
    const runningGms = await startGms(withKms, opened, log, admission);
    opened.onClose(removeRevokedUsers({ revokedSince: runningKms.revokedSince, gms: runningGms.admin, log }));
    const { xcapUrl: xcapRoot } = runningGms;
    const mcxGms =
      read.mcx !== undefined && "gms" in read.mcx ? mcx.data.config.gms! : { uri: gmsUri, xcapRoot };
    const mcxKnowing = (config: McxConfig) => ({
      ...config,
      kmsUrl: config.kmsUrl ?? kmsUrl,
      provisioning: localProvisioning(config, kms, mcxUri),
      sip: permitting(config.sip, dispatchers),
    });
    const mcxFolder = { ...mcx.data, config: mcxKnowing({ ...mcx.data.config, gms: mcxGms }) };
    const runningMcx = await startMcx(mcxFolder, gms.credentials, opened, log, admission);
    opened.onClose(() => removeRunning(options.dataDir));
    const runningConsole = await startConsole(
      {
        config: consoleConfig,
        dataDir: options.dataDir,
        credentials: prepared.credentials,
        kms: { ...runningKms, uri: kms.data.config.kmsUri, knownUrl: withKms.data.config.kmsUrl ?? kmsUrl },
        gms: { ...runningGms, uri: gmsUri },
        mcx: { ...runningMcx, uri: mcxUri },
      },
      opened.onClose,
      log,
      admission,
    );
    const parts = {
      kms: runningKms.reconfigure,
      gms: runningGms.reconfigure,
      mcx: async () => runningMcx.reconfigure(mcxKnowing(await mcx.reread({ uri: gmsUri, xcapRoot }))),
      console: async () =>
        reconfiguredConsole(consoleConfig, consoleConfigOf(options, await readConfig(read.file))),
    };
    signal.answer(() => reload({ credentials, parts, options, file: read.file, log }));
    await announce(output, withKms, runningGms, runningKms, { ...runningMcx, uri: mcxUri }, runningConsole);
    keep();
    log.info({ signal: await stop.stopped }, "stopping");
    // At the same time, so that all have ended once the longest stopTimeout is over.
    await runningConsole.close();
    await Promise.all([runningMcx.close(), runningGms.close(), runningKms.close()]);
  } finally {
    signal.release();
    await opened.close();
    stop.release();
  }
  log.info({}, "stopped");
}

/** Returns the configuration of the console, in which the command line has the last word. */
function consoleConfigOf(options: ServeAllOptions, read: ConfigFile): ConsoleConfig {
  const given = (read.console ?? {}) as { listen?: object };
  const { consolePort: own } = optionsOfEach(options);
  return parseConsoleConfig(own === undefined ? given : { ...given, listen: { ...given.listen, port: own } });
}

/** The origins of pages in which dispatchers take part in calls. Usage error BAD_CONFIG where the port is any. */
function dispatcherOrigins(config: ConsoleConfig): readonly string[] {
  if (config.dispatcher === undefined) return [];
  if (config.origin === undefined && config.listen.port === 0) {
    const text = "console.dispatcher: needs console.origin, or a port in console.listen.port";
    throw usageError("BAD_CONFIG", text);
  }
  return consoleOrigins(config);
}

function permitting<T extends { readonly origins: readonly string[] }>(sip: T, origins: readonly string[]) {
  return { ...sip, origins: [...new Set([...sip.origins, ...origins])] };
}

export interface ServeGmsOptions extends GmsServeOptions, LogOptions {
  readonly gmsUri?: string;
  readonly kmsUri?: string;
  readonly kmsUrl?: string;
  readonly provisioning: Provisioning;
  readonly database?: string;
}

export async function serveGms(options: ServeGmsOptions, output: Output): Promise<void> {
  const { gmsUri, kmsUri, kmsUrl, provisioning, database } = options;
  const given = {
    ...defined({ gmsUri, kmsUri, kmsUrl }),
    ...(Object.keys(provisioning).length > 0 && { provisioning }),
  };
  const own = { ...given, ...(database !== undefined && { database: { url: database } }) };
  const first = firstGmsConfig(options, own);
  await startOnFolder(options, { gms: first }, output, (read, keep) =>
    runGms({ options, first: { gms: first }, read, keep }, given, output),
  );
}

async function runGms(
  { options, first, read, keep }: Run<ServeGmsOptions>,
  given: Parameters<typeof prepareGms>[2],
  output: Output,
): Promise<void> {
  await addServers(options, read, first, output);
  const sip = options.port === 0 && options.sipPort === undefined ? { sipPort: 0 } : {};
  const gms = await prepareGms({ ...options, ...sip }, output, given);
  requireWayToKms(gms.data.config, "gms");
  const { config, files } = gms.data;
  const stop = listenForStop();
  const log = createLog(logLevelOf(options, read));
  warnOfFewDescriptors(config.limits.connections, log);
  warnOfCertificateEnds([gms.credentials], Date.now(), log);
  const signal = listenForReload();
  const opened = await openAtStart({ database: config.database, files }, environmentOf(), keep).catch(
    stop.failed,
  );
  try {
    const running = await startGms(gms, opened, log);
    opened.onClose(() => removeRunning(options.dataDir));
    const { credentials } = gms;
    const parts = { gms: running.reconfigure };
    signal.answer(() => reload({ credentials: [credentials], parts, options, file: read.file, log }));
    await announce(output, gms, running, undefined);
    keep();
    log.info({ signal: await stop.stopped }, "stopping");
  } finally {
    signal.release();
    await opened.close();
    stop.release();
  }
  log.info({}, "stopped");
}

/** Returns the GMS with what is known of the other servers of the process in its configuration. */
function knowing(gms: PreparedGms, add: (config: GmsConfig) => GmsConfig): PreparedGms {
  return {
    ...gms,
    data: { ...gms.data, config: add(gms.data.config) },
    reread: async () => add(await gms.reread()),
  };
}

async function announce(
  output: Output,
  { data, credentials }: PreparedGms,
  gms: RunningGms,
  kms: RunningKms | undefined,
  mcx?: RunningMcx & { readonly uri: string },
  ofConsole?: RunningConsole,
): Promise<void> {
  const { folder, config } = data;
  const { gmsUri, kmsUri, kmsUrl } = config;
  const development = config.tokens === undefined;
  const ca = credentials?.selfSigned ? credentials.certFile : undefined;
  const { xcapUrl: xcapRoot, adminUrl, sip } = gms;
  const trusted = ca === undefined ? {} : { ca };
  const { mediaUrl, filesUrl } = mcx ?? {};
  const mcxPlace = mcx && { uri: mcx.uri, sip: mcx.sip, ...defined({ mediaUrl, filesUrl }) };
  const running = { kmsUri, kmsUrl: kmsUrl!, gmsUri, xcapRoot, sip, ...defined({ mcx: mcxPlace }) };
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
      ...(ofConsole && { console: ofConsole.origin, ...(ofConsole.link && { consoleLink: ofConsole.link }) }),
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
      ...(ofConsole?.link === undefined
        ? []
        : [`console             ${ofConsole.link}`, "  (signs in once, within 15 minutes)"]),
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
  return folder === DEFAULT_FOLDER ? "" : ` --data-dir ${folder}`;
}
