/** The admin APIs behind the console: what a page may ask of them, with the operator's token put in its place. */
import { defined } from "../../base/defined.ts";
import { MikeySakkeError } from "../../base/errors.ts";
import { ADMIN_ROOT as GMS_ROOT } from "../gms/admin/operations.ts";
import { ADMIN_ROOT as KMS_ROOT } from "../kms/admin/wire.ts";
import { MCX_ADMIN_ROOT } from "../mcx/admin/operations.ts";
import { ACTOR_HEADER, writeActor } from "../server/actor.ts";
import type { AdminApi } from "./backend.ts";
import type { ServerName } from "./messages.ts";

/** Operations that give no key away: a browser is no place for TrKs and key sets, nor for the key of the store. */
const KMS_OPERATIONS = new Set([
  "enrol",
  "user",
  "users",
  "revokeUser",
  "reinstateUser",
  "masters",
  "rotateMaster",
  "certificates",
  "putCertificate",
  "revokeCertificate",
  "removeCertificate",
  "transportKeys",
  "auditLog",
]);
/** The one change that the MCX server takes. */
const MCX_CHANGE = "/kms/refresh";
/** Requests whose progress comes as events. */
const GMS_STREAM = /\/progress$/;

export interface Asked {
  readonly server: ServerName;
  readonly method: string;
  /** Below the root of the server's API, with its query. */
  readonly path: string;
  readonly body: Uint8Array | undefined;
  readonly ifMatch: string | undefined;
  readonly actor: string;
}

export interface Answered {
  readonly status: number;
  readonly etag: string | null;
  readonly body: Uint8Array;
}

/** @throws {MikeySakkeError} usage NOT_FOUND; transport ADMIN_UNREACHABLE */
export async function askServer(
  apis: Readonly<Partial<Record<ServerName, AdminApi>>>,
  asked: Asked,
  send: typeof fetch,
): Promise<Answered> {
  const { server, method, body, ifMatch, actor } = asked;
  const api = apis[server];
  const path = pathOf(asked);
  if (api === undefined || path === undefined) {
    throw new MikeySakkeError("usage", "NOT_FOUND", "no such operation");
  }
  const response = await send(`${api.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${api.token}`,
      ...(server !== "mcx" && { [ACTOR_HEADER[server]]: writeActor(actor) }),
      ...defined({ "if-match": ifMatch }),
      ...(body !== undefined && { "content-type": "application/json" }),
    },
    ...defined({ body: body && Uint8Array.from(body) }),
    redirect: "error",
  }).catch((cause) => {
    throw new MikeySakkeError(
      "transport",
      "ADMIN_UNREACHABLE",
      `the ${server.toUpperCase()} does not answer`,
      {
        cause,
      },
    );
  });
  return {
    status: response.status,
    etag: response.headers.get("etag"),
    body: new Uint8Array(await response.arrayBuffer()),
  };
}

function pathOf({ server, method, path }: Asked): string | undefined {
  const [plain = "", query] = path.split("?", 2);
  // Dots would lead out of the API.
  if (plain.split("/").some((part) => /^(?:\.|%2e){1,2}$/i.test(part))) return undefined;
  if (server === "kms")
    return KMS_OPERATIONS.has(plain.slice(1)) && method === "POST" ? `${KMS_ROOT}${plain}` : undefined;
  const rest = query === undefined ? plain : `${plain}?${query}`;
  if (server === "mcx") {
    const isOpen = method === "GET" || (method === "POST" && plain === MCX_CHANGE);
    return isOpen ? `${MCX_ADMIN_ROOT}${rest}` : undefined;
  }
  return GMS_STREAM.test(plain) ? undefined : `${GMS_ROOT}${rest}`;
}
