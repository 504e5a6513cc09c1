/** The operators' console of a data folder, before the servers of this process. */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defined } from "../../base/defined.ts";
import type { ConsoleConfig } from "../../roles/console/config.ts";
import { createConsole } from "../../roles/console/server.ts";
import type { ServerLog } from "../../roles/server/log.ts";
import { RefusedLog } from "../../roles/server/refused-log.ts";
import type { Admission } from "../../transport/admission/admission.ts";
import { systemClock } from "../../transport/sip/index.ts";
import type { RunningGms } from "../gms/start.ts";
import type { RunningKms } from "../kms/start.ts";
import type { RunningMcx } from "../mcx/start.ts";
import { removeAdminFile, writeAdminFile } from "../server/admin-file.ts";
import { listenError } from "../server/listen-error.ts";
import type { Credentials } from "../server/tls.ts";
import { consoleAdminFileOf } from "./admin-file.ts";
import { talkBackendOf } from "./talk.ts";

type Named<T> = T & { readonly uri: string };

export interface ConsoleServers {
  readonly config: ConsoleConfig;
  readonly dataDir: string;
  readonly credentials: Credentials | undefined;
  /** `knownUrl`: by which the KMS itself is known. */
  readonly kms: Named<RunningKms> & { readonly knownUrl: string };
  readonly gms: Named<RunningGms>;
  readonly mcx: Named<RunningMcx>;
}

export interface RunningConsole {
  readonly origin: string;
  /** Signs in once. Undefined where the page was not built. */
  readonly link: string | undefined;
  close(): Promise<void>;
}

export async function startConsole(
  { config, dataDir, credentials, kms, gms, mcx }: ConsoleServers,
  onClose: (close: () => unknown) => void,
  log: ServerLog,
  admission: Admission,
): Promise<RunningConsole> {
  const token = randomBytes(32).toString("base64url");
  const apiOf = ({ adminUrl, adminToken }: RunningKms | RunningGms | RunningMcx) => ({
    url: adminUrl,
    token: adminToken,
  });
  const ca = credentials?.selfSigned ? credentials.certFile : undefined;
  const ofKms = { url: kms.knownUrl, uri: kms.uri, ...defined({ ca }) };
  const talk = await talkBackendOf(config, { dataDir, kms: ofKms, gms, mcx }, onClose);
  const ofConsole = createConsole({
    config,
    token,
    folder: pageFolder(),
    ...defined({ credentials }),
    log,
    guard: { admission, refused: new RefusedLog(log, systemClock) },
    backend: {
      gms: gms.admin,
      on: gms.on,
      kms: kms.admin,
      mcx: mcx.state,
      processes: async () => (await Promise.all([gms.processes(), mcx.processes()])).flat(),
      apis: { kms: apiOf(kms), gms: apiOf(gms), mcx: apiOf(mcx) },
      identities: { kms: kms.uri, gms: gms.uri, mcx: mcx.uri },
      talk,
    },
  });
  onClose(() => ofConsole.close());
  const { origin, hasPage } = await ofConsole.listen().catch((error: unknown) => {
    throw listenError(error);
  });
  const file = consoleAdminFileOf(dataDir);
  onClose(() => removeAdminFile(file));
  await writeAdminFile(file, { url: origin, token, pid: process.pid });
  if (!hasPage) log.info({}, "the console has no page: npm run build:web makes it");
  return { origin, link: hasPage ? ofConsole.link() : undefined, close: () => ofConsole.close() };
}

/** web/dist/console of the package, from the sources as from what is built of them. */
function pageFolder(): string {
  const [near, far] = ["../..", "../../.."].map((up) =>
    fileURLToPath(new URL(`${up}/web/dist/console`, import.meta.url)),
  );
  return existsSync(far!) ? far! : near!;
}
