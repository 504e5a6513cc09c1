/** The OpenAPI document of the admin API of a GMS. */
import { documentOf, type Json, jsonSchema, OPERATOR_SCHEME } from "../../server/openapi.ts";
import { ADMIN_ROOT, OPERATIONS, type Operation } from "./operations.ts";
import { PARAMETERS, QUERIES, type QueryName, SCHEMAS } from "./schemas.ts";

/** The answers that any operation may give besides its own. */
const FAULTS: Readonly<Record<number, string>> = {
  400: "the request is malformed or asks for what is not possible",
  401: "neither the operator's token nor an access token that is accepted",
  403: "for the operator, or for managers of all the groups concerned",
  404: "no such thing",
  409: "it is there already, or in a state that does not allow it",
  412: "the group has another revision than If-Match says",
  500: "the GMS failed",
  503: "not possible at present",
};

export function openApiDocument(): Json {
  return documentOf({
    title: "Admin API of a group management server",
    description:
      "Groups, members, GMKs and rekeys (TS 33.180 5.7). Times are milliseconds since the Unix epoch. The operator may " +
      "do everything; a user with an access token for group management may manage the groups that name it as manager.",
    operations: OPERATIONS.map(({ path, lines = false, groups, ...operation }) => ({
      ...operation,
      path: `${ADMIN_ROOT}${path}`,
      parameters: parametersOf({ path, ...operation }),
      ...(lines && { answerType: "application/x-ndjson" }),
      ...(groups === undefined && { security: [{ operator: [] }] }),
    })),
    schemas: SCHEMAS,
    faults: FAULTS,
    security: [{ operator: [] }, { user: [] }],
    securitySchemes: {
      operator: OPERATOR_SCHEME,
      user: { type: "http", scheme: "bearer", bearerFormat: "JWT", description: "access token of a user" },
    },
  });
}

function parametersOf({
  path,
  query,
  ifMatch = false,
}: Pick<Operation, "path" | "query" | "ifMatch">): Json[] {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: jsonSchema(PARAMETERS[name as keyof typeof PARAMETERS]),
  }));
  const header = { name: "If-Match", in: "header", required: false, schema: { type: "string" } };
  const description = "revision of the group, in double quotes";
  return [...inPath, ...queryOf(query), ...(ifMatch ? [{ ...header, description }] : [])];
}

function queryOf(query: QueryName | undefined): Json[] {
  if (query === undefined) return [];
  return Object.entries(QUERIES[query].shape).map(([name, schema]) => ({
    name,
    in: "query",
    required: false,
    schema: jsonSchema(schema),
  }));
}
