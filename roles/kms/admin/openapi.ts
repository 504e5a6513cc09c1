/** The OpenAPI document of the admin API of a KMS. */
import { documentOf, errorSchema, type Json, OPERATOR_SCHEME } from "../../server/openapi.ts";
import { ANSWERS } from "./answers.ts";
import { ADMIN_ROOT, BODIES, type Operation } from "./wire.ts";

const SUMMARIES: Readonly<Record<Operation, string>> = {
  enrol: "Enrols users",
  user: "A user",
  users: "Users by URI, those after one",
  revokeUser: "Gives a user no keys from now on",
  reinstateUser: "Gives a revoked user keys again",
  masters: "Master keys with their key periods, the oldest first",
  rotateMaster: "Makes new master keys and their certificate",
  revokeCertificate: "Revokes a certificate, of this KMS or of another",
  certificates: "The certificates of this KMS and of those that its users may deal with",
  putCertificate: "Takes the certificate of another KMS",
  removeCertificate: "Permits another KMS no more",
  transportKeys: "TrKs and InKs of a user, without the keys",
  newTransportKeys: "Makes a TrK or an InK of a user, and gives the key away",
  issue:
    "Makes the keys of users for a key period: a line for each step, the last with the result or the error",
  purgeIssuedBefore: "Drops keys of earlier periods that were stored",
  auditLog: "The audit log, in its order",
  rotateStoreKey: "Puts the database under another key-encrypting key",
};

const FAULTS: Readonly<Record<number, string>> = {
  400: "the request is malformed or asks for what is not possible",
  401: "not the operator's token",
  500: "the KMS failed",
};

const bodyName = (operation: string) => `${operation}Body`;
const answerName = (operation: string) => `${operation}Answer`;

export function openApiDocument(): Json {
  const operations = Object.keys(BODIES) as Operation[];
  const schemas = operations.flatMap((operation) => [
    [bodyName(operation), BODIES[operation]] as const,
    [answerName(operation), ANSWERS[operation]] as const,
  ]);
  return documentOf({
    title: "Admin API of a key management server",
    description:
      "Users, master keys, certificates and keys that are issued (TS 33.180 annex D). Times are milliseconds since the Unix " +
      "epoch. Certificates and key sets are XML in strings, keys are base64.",
    operations: operations.map((operation) => ({
      id: operation,
      method: "POST",
      path: `${ADMIN_ROOT}/${operation}`,
      summary: SUMMARIES[operation],
      body: bodyName(operation),
      status: 200,
      answer: answerName(operation),
      ...(operation === "issue" && { answerType: "application/x-ndjson" }),
    })),
    schemas: { ...Object.fromEntries(schemas), Error: errorSchema },
    faults: FAULTS,
    security: [{ operator: [] }],
    securitySchemes: { operator: OPERATOR_SCHEME },
  });
}
