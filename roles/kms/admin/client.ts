/** The operations of a KMS that runs, through its admin API. */
import { toBase64, wipe } from "../../../base/bytes.ts";
import { orAborted } from "../../../base/deadline.ts";
import { defined } from "../../../base/defined.ts";
import { MikeySakkeError } from "../../../base/errors.ts";
import { keySetsOf, readKmsDocument, writeKmsCertificate } from "../../../documents/kms-xml/index.ts";
import type { AuditRecord, OtherKind, UserRecord } from "../../../store/index.ts";
import { ACTOR_HEADER, writeActor } from "../../server/actor.ts";
import { jsonLines, refusalOf, thrownLine } from "../../server/wire-error.ts";
import type { IssueOptions, KmsAdmin, TransportKeySummary } from "./admin.ts";
import {
  ADMIN_ROOT,
  fromWireCertificate,
  fromWireMaster,
  fromWireTransportKey,
  type IssueLine,
  type Operation,
  type WireMaster,
  type WireTransportKey,
} from "./wire.ts";

export interface AdminClientOptions {
  /** As `Kms.listen` gives it. */
  readonly url: string;
  readonly token: string;
  /** The name of the caller, for the audit log. */
  readonly actor?: string;
  readonly fetch?: typeof fetch;
}

/** Errors of the operations come back as they were thrown; transport `ADMIN_UNREACHABLE` when nobody answers. */
export function adminClient(options: AdminClientOptions): KmsAdmin {
  const { url, token, actor, fetch: send = fetch } = options;
  async function post(operation: Operation, body: object, signal?: AbortSignal): Promise<Response> {
    const headers = {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      ...(actor !== undefined && { [ACTOR_HEADER.kms]: writeActor(actor) }),
    };
    const init = {
      method: "POST",
      headers,
      body: JSON.stringify(body),
      redirect: "error",
      ...defined({ signal }),
    };
    const asked = send(new URL(`${ADMIN_ROOT}/${operation}`, url), init as RequestInit);
    const response = await orAborted(asked, signal).catch((cause) => {
      signal?.throwIfAborted();
      throw new MikeySakkeError("transport", "ADMIN_UNREACHABLE", `${url}: no answer`, { cause });
    });
    if (response.ok) return response;
    throw await refusalOf(response, url);
  }

  async function ask<T>(operation: Operation, body: object = {}): Promise<T> {
    const { result } = (await (await post(operation, body)).json()) as { result: T };
    return result;
  }

  return {
    as: (name) => adminClient({ ...options, actor: name }),
    enrol: (uris) => ask("enrol", { uris }),
    user: async (uri) => (await ask<UserRecord | null>("user", { uri })) ?? undefined,
    users: (query) => ask("users", query),
    revokeUser: (uri, reason) => ask("revokeUser", { uri, reason }),
    reinstateUser: (uri) => ask("reinstateUser", { uri }),
    masters: async () => (await ask<WireMaster[]>("masters")).map(fromWireMaster),
    rotateMaster: async (options = {}) => fromWireMaster(await ask<WireMaster>("rotateMaster", options)),
    revokeCertificate: (certUri) => ask("revokeCertificate", { certUri }),
    async certificates() {
      interface Answer {
        cacheNum: number;
        own: string[];
        others: { certificate: string; kind: OtherKind }[];
      }
      const { cacheNum, own, others } = await ask<Answer>("certificates");
      return {
        cacheNum,
        own: own.map(fromWireCertificate),
        others: others.map(({ certificate, kind }) => ({
          certificate: fromWireCertificate(certificate),
          kind,
        })),
      };
    },
    putCertificate: (certificate, kind) =>
      ask("putCertificate", { document: writeKmsCertificate(certificate), kind }),
    removeCertificate: (kmsUri) => ask("removeCertificate", { kmsUri }),
    transportKeys: (userUri) => ask<TransportKeySummary[]>("transportKeys", { userUri }),
    async newTransportKeys(userUri, options) {
      const keys = await ask<WireTransportKey[]>("newTransportKeys", { userUri, ...options });
      return keys.map(fromWireTransportKey);
    },
    purgeIssuedBefore: (periodNo) => ask("purgeIssuedBefore", { periodNo }),
    auditLog: (query) => ask<AuditRecord[]>("auditLog", query),
    rotateStoreKey: (key) => ask("rotateStoreKey", { key: toBase64(key) }),

    async issue({ signal, onProgress, onKeySet, ...body }: IssueOptions = {}) {
      const response = await post("issue", { ...body, keySets: onKeySet !== undefined }, signal);
      for await (const line of jsonLines<IssueLine>(response, signal)) {
        // What was read before the stop may hold the rest of the answer.
        signal?.throwIfAborted();
        if ("error" in line) throw thrownLine(line, url);
        if ("result" in line) return line.result;
        if ("done" in line) onProgress?.(line.done, line.total);
        else if (onKeySet !== undefined) await takeKeySet(line.keySet, onKeySet);
      }
      throw new MikeySakkeError("transport", "ADMIN_FAILED", `${url}: the answer broke off`);
    },
  };
}

async function takeKeySet(document: string, onKeySet: NonNullable<IssueOptions["onKeySet"]>): Promise<void> {
  const [keySet] = keySetsOf(readKmsDocument(document));
  if (keySet?.uid === undefined)
    throw new MikeySakkeError("transport", "ADMIN_FAILED", "a key set is missing");
  try {
    await onKeySet({ ...keySet, uid: keySet.uid });
  } finally {
    wipe(keySet.rsk, keySet.ssk);
  }
}
