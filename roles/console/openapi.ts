/** The OpenAPI document of the console's own API; the admin APIs behind it have documents of their own. */
import { documentOf, type Json, OPERATOR_SCHEME } from "../server/openapi.ts";
import { type ConsoleOperation, OPERATIONS, SCHEMAS } from "./operations.ts";

const FAULTS: Readonly<Record<number, string>> = {
  400: "the request is malformed",
  401: "no session, a wrong code, or not the operator's token",
  403: "the CSRF token is missing, or the request comes from another origin",
  404: "no such thing",
  421: "this is not the host that was asked for",
  429: "too many wrong codes",
  502: "a server behind the console does not answer",
  503: "too many pages are open",
};

export function openApiDocument(cookieName: string): Json {
  return documentOf({
    title: "API of the operators' console",
    description:
      "Sessions, events, emergency calls and lost radios. Below /kms/v1, /gms/v1 and /mcx/v1 are the admin APIs of the servers, " +
      "without operations that give keys away. Each change needs the session's token in the header csrf-token, and the " +
      "console's own origin. Times are milliseconds since the Unix epoch.",
    operations: Object.entries<ConsoleOperation>(OPERATIONS).map(
      ([id, { query = [], access, ...operation }]) => ({
        id,
        ...operation,
        parameters: [
          ...query.map((name) => ({ name, in: "query", required: false, schema: { type: "string" } })),
          ...(access === "session" && operation.method !== "GET" ? [CSRF] : []),
        ],
        ...(access !== "session" && { security: access === "operator" ? [{ operator: [] }] : [] }),
      }),
    ),
    schemas: SCHEMAS,
    faults: FAULTS,
    security: [{ session: [] }],
    securitySchemes: {
      operator: OPERATOR_SCHEME,
      session: { type: "apiKey", in: "cookie", name: cookieName },
    },
  });
}

const CSRF: Json = { name: "csrf-token", in: "header", required: true, schema: { type: "string" } };
