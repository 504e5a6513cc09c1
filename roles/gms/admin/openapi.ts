/** The OpenAPI 3.1 document of the admin API, made of the operations and of the shapes they are checked with. */
import { z } from "zod";
import { ADMIN_ROOT, OPERATIONS, type Operation } from "./operations.ts";
import { PARAMETERS, QUERIES, type QueryName, SCHEMAS } from "./schemas.ts";

type Json = Readonly<Record<string, unknown>>;

const JSON_TYPE = "application/json";
const LINES_TYPE = "application/x-ndjson";

/** What any operation may answer besides. */
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
  const paths: Record<string, Record<string, Json>> = {};
  for (const operation of OPERATIONS) {
    const path = `${ADMIN_ROOT}${operation.path}`;
    paths[path] ??= {};
    paths[path][operation.method.toLowerCase()] = operationObject(operation);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Admin API of a group management server",
      version: "1",
      description:
        "Groups, members, GMKs and rekeys (TS 33.180 5.7). Times are milliseconds since the Unix epoch. The operator may " +
        "do everything; a user with an access token for group management may manage the groups that name it as manager.",
    },
    security: [{ operator: [] }, { user: [] }],
    paths,
    components: {
      securitySchemes: {
        operator: { type: "http", scheme: "bearer", description: "token of the operator" },
        user: { type: "http", scheme: "bearer", bearerFormat: "JWT", description: "access token of a user" },
      },
      schemas: schemaObjects(),
    },
  };
}

function operationObject(operation: Operation): Json {
  const { id, summary, body, status, answer, lines = false, groups } = operation;
  const faults = Object.entries(FAULTS).map(([code, description]) => [
    code,
    { description, content: contentOf("Error") },
  ]);
  const good = answer === undefined ? {} : { content: contentOf(answer, lines ? LINES_TYPE : JSON_TYPE) };
  return {
    operationId: id,
    summary,
    ...(groups === undefined && { security: [{ operator: [] }] }),
    parameters: parametersOf(operation),
    ...(body !== undefined && { requestBody: { required: true, content: contentOf(body) } }),
    responses: { [status]: { description: summary, ...good }, ...Object.fromEntries(faults) },
  };
}

function contentOf(name: string, type = JSON_TYPE): Json {
  return { [type]: { schema: { $ref: refTo(name) } } };
}

const refTo = (name: string) => `#/components/schemas/${name}`;

function parametersOf({ path, query, ifMatch = false }: Operation): Json[] {
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

function jsonSchema(schema: z.ZodType): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema);
  return rest;
}

function schemaObjects(): Json {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(SCHEMAS)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { uri: refTo });
  return Object.fromEntries(
    Object.entries(schemas).map(([name, { $schema: _, $id: __, ...schema }]) => [name, schema]),
  );
}
