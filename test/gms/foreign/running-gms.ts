/** The whole GMS on sockets of loopback, with the time of the machine, and a group in it. */

import { defined } from "../../../base/defined.ts";
import { systemRandom } from "../../../base/random.ts";
import { operator } from "../../../roles/gms/common/caller.ts";
import type { GmsConfigInput } from "../../../roles/gms/common/config.ts";
import { createGms, type Gms } from "../../../roles/gms/create.ts";
import { DevelopmentIssuer } from "../../../roles/server/development-tokens.ts";
import type { Database } from "../../../store/index.ts";
import { GMS_URI, HOME_KMS, makeWorld, type World } from "../memory-gms.ts";

export const HOST = "127.0.0.1";
export const GROUP = "sip:group@home.example";
export const OPERATOR = operator("operator");

const SCOPES = {
  "3gpp:mc:ptt_group_management_service": ["mcptt_id"],
  "3gpp:mc:video_group_management_service": ["mcvideo_id"],
  "3gpp:mc:data_group_management_service": ["mcdata_id"],
};

export interface RunningGms {
  readonly world: World;
  readonly gms: Gms;
  readonly issuer: DevelopmentIssuer;
  readonly xcapUrl: string;
  readonly adminUrl: string;
  /** Ports on HOST. */
  readonly udp: number;
  readonly tcp: number;
  readonly ws: number;
  token(identity: string): Promise<string>;
  /** Waits until nothing of the group's newest rekey is left to be sealed. */
  sealed(groupUri?: string): Promise<void>;
  close(): Promise<void>;
}

export interface RunningOptions {
  readonly database?: Database;
  readonly workers?: number;
  readonly config?: Partial<GmsConfigInput>;
  readonly instance?: string;
  /** The operator's token. */
  readonly adminToken?: string;
  /** Private key of an earlier issuer. */
  readonly issuerJwk?: ReturnType<DevelopmentIssuer["exportPrivateJwk"]>;
}

/** An issuer whose tokens the GMS takes. */
export function makeIssuer(jwk?: RunningOptions["issuerJwk"]): Promise<DevelopmentIssuer> {
  return DevelopmentIssuer.create([{ uri: GMS_URI, scopes: SCOPES }], jwk);
}

export async function startGms(options: RunningOptions = {}): Promise<RunningGms> {
  const { database, workers = 0, instance } = options;
  const world = await makeWorld({
    ...defined({ database }),
    workers,
    now: Date.now(),
    storeTime: "database",
  });
  const issuer = await makeIssuer(options.issuerJwk);
  const gms = await createGms({
    config: {
      gmsUri: GMS_URI,
      kmsUri: HOME_KMS,
      listen: { host: HOST, port: 0 },
      admin: { host: HOST, port: 0 },
      sip: { host: HOST, udpPort: 0, tcpPort: 0, wsPort: 0 },
      ...options.config,
    },
    store: world.store,
    core: world.core,
    ...defined({ pool: world.pool }),
    keys: world.keys,
    tokens: issuer.verifier(GMS_URI),
    ...defined({ instance, adminToken: options.adminToken }),
    now: Date.now,
    random: systemRandom,
  });
  const { xcapUrl, adminUrl, sip } = await gms.listen();
  return {
    world,
    gms,
    issuer,
    xcapUrl,
    adminUrl,
    udp: portOf(sip.udp),
    tcp: portOf(sip.tcp),
    ws: portOf(sip.ws),
    token: (userUri) => issuer.token({ userUri, now: Date.now(), lifetime: 86_400 }),
    async sealed(groupUri = GROUP) {
      for (;;) {
        const [newest] = await gms.admin.rekeys({ groupUri, limit: 1 });
        if (newest === undefined || newest.sealedAt !== undefined) return;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async close() {
      await gms.close();
      await world.close();
    },
  };
}

function portOf(uri: string | undefined): number {
  return Number(/:(\d+)(?:[;/?]|$)/.exec(uri ?? "")?.[1] ?? 0);
}
