/** Shapes of what the operations of the admin API answer. Times are milliseconds since the Unix epoch. */
import { z } from "zod";
import { errorSchema } from "../../server/openapi.ts";
import type { Operation } from "./wire.ts";

const count = z.number().int().min(0);
const time = count;
const uri = z.string();
const document = z.string().describe("KmsCertificate as XML (TS 33.180 D.3.2)");
const kind = z.enum(["external", "migration"]);
const nothing = z.null();

const user = z.strictObject({
  uri,
  enrolledAt: time,
  revokedAt: time.optional(),
  reason: z.string().optional(),
});

const master = z.strictObject({
  id: count,
  certificate: document,
  fromPeriod: count.describe("first key period"),
  untilPeriod: count.optional().describe("first key period that is another master's"),
  revoked: z.boolean(),
  createdAt: time,
});

const transportKey = z.strictObject({
  id: z.string(),
  userUri: uri,
  kind: z.enum(["TrK", "InK"]),
  state: z.enum(["pending", "active", "retired"]),
  createdAt: time,
});

const auditEntry = z.strictObject({
  id: count,
  at: time,
  actor: z.string(),
  action: z.string(),
  userUri: uri.optional(),
  periodNo: count.optional(),
  outcome: z.enum(["ok", "refused"]),
  code: z.string().optional(),
  requestId: z.string().optional(),
  detail: z.record(z.string(), z.unknown()).optional(),
});

const result = <T extends z.ZodType>(shape: T) => z.strictObject({ result: shape });

/** The shape of the answer of each operation. */
export const ANSWERS = {
  enrol: result(count.describe("how many were new")),
  user: result(user.nullable()),
  users: result(z.array(user)),
  revokeUser: result(nothing),
  reinstateUser: result(nothing),
  masters: result(z.array(master)),
  rotateMaster: result(master),
  revokeCertificate: result(nothing),
  certificates: result(
    z.strictObject({
      cacheNum: count,
      own: z.array(document),
      others: z.array(z.strictObject({ certificate: document, kind })),
    }),
  ),
  putCertificate: result(nothing),
  removeCertificate: result(nothing),
  transportKeys: result(z.array(transportKey)),
  newTransportKeys: result(z.array(transportKey.extend({ key: z.base64().describe("the key itself") }))),
  issue: z.union([
    z.strictObject({ done: count, total: count }),
    z.strictObject({ keySet: z.string().describe("KmsKeySet as XML (TS 33.180 D.3.3)") }),
    result(z.strictObject({ periodNo: count, issued: count })),
    errorSchema,
  ]),
  purgeIssuedBefore: result(count.describe("how many keys were dropped")),
  auditLog: result(z.array(auditEntry)),
  rotateStoreKey: result(nothing),
} as const satisfies Record<Operation, z.ZodType>;
