/** `serve kms`: the KMS of a data folder, which is made at the first start. */

import { DEVELOPMENT_TOKENS_WARNING } from "../../roles/server/development-tokens.ts";
import { createLog } from "../../roles/server/log.ts";
import {
  firstKmsConfig,
  type KmsServeOptions,
  type PreparedKms,
  prepareKms,
  type RunningKms,
  startKms,
} from "../kms/start.ts";
import { warnOfCertificateEnds } from "../server/certificate-end.ts";
import { warnOfFewDescriptors } from "../server/descriptors.ts";
import { environmentOf } from "../server/environment.ts";
import { startOnFolder } from "../server/make-folder.ts";
import { openAtStart } from "../server/open-store.ts";
import { listenForReload, listenForStop } from "../server/stop.ts";
import type { Output } from "../terminal/output.ts";
import { type LogOptions, logLevelOf, reload } from "./reload.ts";

export interface ServeOptions extends KmsServeOptions, LogOptions {}

export async function serveKms(options: ServeOptions, output: Output): Promise<void> {
  await startOnFolder(options, { kms: firstKmsConfig(options) }, output, async (read, keep) => {
    const prepared = await prepareKms(options, read, output);
    const { config, files } = prepared.data;
    const stop = listenForStop();
    const log = createLog(logLevelOf(options, read));
    warnOfFewDescriptors(config.limits.connections, log);
    warnOfCertificateEnds([prepared.credentials], Date.now(), log);
    const signal = listenForReload();
    const opened = await openAtStart({ database: config.database, files }, environmentOf(), keep).catch(
      stop.failed,
    );
    try {
      const running = await startKms(prepared, opened, log);
      const { credentials } = prepared;
      const parts = { kms: running.reconfigure };
      signal.answer(() => reload({ credentials: [credentials], parts, options, file: read.file, log }));
      announce(output, prepared, running);
      keep();
      log.info({ signal: await stop.stopped }, "stopping");
    } finally {
      signal.release();
      await opened.close();
      stop.release();
    }
    log.info({}, "stopped");
  });
}

function announce(output: Output, { data, credentials }: PreparedKms, { url, adminUrl }: RunningKms): void {
  const { folder, config } = data;
  const development = config.tokens === undefined;
  const ca = credentials?.selfSigned ? credentials.certFile : undefined;
  if (development) warnOfDevelopmentTokens(output);
  const provision = [
    `mikey-sakke provision --kms-url ${url}`,
    ...(ca === undefined ? [] : [`--ca ${ca}`]),
    development ? `--development-token ${folder}` : "--token-file TOKEN",
    "--user sip:alice@example.org --out alice",
  ];
  output.ready(
    {
      status: "listening",
      kmsUri: config.kmsUri,
      url,
      adminUrl,
      dataDir: folder,
      ca,
      developmentTokens: development,
      pid: process.pid,
    },
    () => [
      `KMS ${config.kmsUri}, ready at ${url}`,
      `health and metrics  ${adminUrl}`,
      `data folder         ${folder}`,
      "",
      "Get keys with:",
      ...commandLines(provision),
    ],
  );
}

/** A long command, to be copied. */
export function commandLines(parts: readonly string[]): string[] {
  return parts.map((part, i) => `${i === 0 ? "  " : "    "}${part}${i + 1 < parts.length ? " \\" : ""}`);
}

const WARNING = [
  "*** WARNING: DEVELOPMENT TOKENS ***",
  `*** ${DEVELOPMENT_TOKENS_WARNING}`,
  "*** For real use give `tokens` (issuer, audience, jwksUri) in the configuration.",
];

export function warnOfDevelopmentTokens(output: Output): void {
  for (const line of WARNING) output.note(line);
}
