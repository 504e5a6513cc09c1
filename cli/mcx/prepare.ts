/** The settings made before the MCX server of a data folder starts. */
import { defined } from "../../base/defined.ts";
import type { McxConfig, McxConfigInput } from "../../roles/mcx/common/config.ts";
import { isLoopback } from "../../roles/server/loopback.ts";
import type { FolderOptions } from "../server/data-folder.ts";
import { requireIssuerCa } from "../server/https.ts";
import { lasting, partOf } from "../server/listen-options.ts";
import { type McxFolder, openMcxFolder } from "./mcx-folder.ts";

export interface McxServeOptions extends FolderOptions {
  readonly host?: string;
  /** UDP and TCP; 0 is any. */
  readonly sipPort?: number;
  readonly adminPort?: number;
}

type GmsPlace = NonNullable<McxConfig["gms"]>;

export interface PreparedMcx {
  readonly data: McxFolder;
  /** The configuration as its file has it now, with where the GMS is by now. */
  readonly reread: (gms: GmsPlace) => Promise<McxConfig>;
}

/** URI of an MCX server whose configuration names none. */
const DEFAULT_MCX_URI = "sip:mcx@mcx.localhost";

/** UDP and TCP, where the configuration says nothing of them. */
const PLAIN_PORT = 5070;

/** Beyond loopback nobody gets UDP and TCP who has not asked for them. */
function mayBePlain({ host, allowPlain }: NonNullable<McxConfigInput["sip"]>): boolean {
  return host === undefined || isLoopback(host) || allowPlain === true;
}

/** The configuration of an MCX server at the first start, which listens where that start was asked to. */
export function firstMcxConfig(
  options: Pick<McxServeOptions, "host" | "sipPort" | "adminPort">,
  given: { readonly mcxUri?: string },
) {
  const { host, sipPort, adminPort } = lasting(options);
  return {
    mcxUri: DEFAULT_MCX_URI,
    ...defined({
      sip: partOf(defined({ host, udpPort: sipPort, tcpPort: sipPort })),
      media: partOf(defined({ host })),
      admin: partOf(defined({ port: adminPort })),
    }),
    ...given,
  };
}

/** `gms`: the one in this process, unless the configuration names another. */
export async function prepareMcx(options: McxServeOptions, gms: GmsPlace): Promise<PreparedMcx> {
  const { host, sipPort, adminPort } = options;
  const overridesOf = (given: Partial<McxConfigInput>, place: GmsPlace): Partial<McxConfigInput> => ({
    gms: given.gms ?? place,
    sip: {
      ...(mayBePlain({ ...given.sip, ...defined({ host }) }) && { udpPort: PLAIN_PORT, tcpPort: PLAIN_PORT }),
      ...given.sip,
      ...defined({ host }),
      ...defined({ udpPort: sipPort, tcpPort: sipPort }),
    },
    media: { ...given.media, ...defined({ host }) },
    admin: { ...given.admin, ...defined({ port: adminPort }) },
  });
  const read = async (place: GmsPlace) => {
    const opened = await openMcxFolder(options, (given) => overridesOf(given, place));
    await requireIssuerCa("mcx.tokens", opened.config.tokens);
    return opened;
  };
  return { data: await read(gms), reread: async (place) => (await read(place)).config };
}
