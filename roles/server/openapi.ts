/** OpenAPI 3.1 documents of admin APIs, made of their operations and of the shapes that requests are checked with. */
import type { FastifyInstance } from "fastify";
import { z } from "zod";

export type Json = Readonly<Record<string, unknown>>;

const JSON_TYPE = "application/json";

/** An operation. Shapes are named as in `schemas`. */
export interface Described {
  /** Unique within the document. */
  readonly id: string;
  readonly method: string;
  /** The path, with `{name}` for each parameter. */
  readonly path: string;
  readonly summary: string;
  readonly parameters?: readonly Json[];
  readonly body?: string;
  readonly status: number;
  /** Undefined: an answer without a body. */
  readonly answer?: string | undefined;
  /** The media type of the answer, JSON when absent. */
  readonly answerType?: string;
  /** The security that takes the place of the document's. */
  readonly security?: readonly Json[];
}

export interface DocumentOptions {
  readonly title: string;
  readonly description: string;
  readonly operations: readonly Described[];
  /** The shapes by their names; `Error` is the body of every fault. */
  readonly schemas: Readonly<Record<string, z.ZodType>>;
  /** The meaning of each status that any operation may answer besides its own. */
  readonly faults: Readonly<Record<number, string>>;
  readonly security: readonly Json[];
  readonly securitySchemes: Json;
}

/** The body of every fault of an admin API. */
export const errorSchema = z.strictObject({
  error: z.strictObject({
    kind: z.enum(["usage", "codec", "validation", "verification", "crypto", "transport"]),
    code: z.string(),
    message: z.string(),
  }),
});

/** The security scheme of an operator's token. */
export const OPERATOR_SCHEME: Json = { type: "http", scheme: "bearer", description: "token of the operator" };

/** Answers `GET {root}/openapi.json` with a document, which is made once, at the first request. */
export function addOpenApiRoute(app: FastifyInstance, root: string, make: () => Json): void {
  let document: Json | undefined;
  app.get(`${root}/openapi.json`, async () => {
    document ??= make();
    return document;
  });
}

export function documentOf(options: DocumentOptions): Json {
  const { title, description, operations, schemas, faults, security, securitySchemes } = options;
  const paths: Record<string, Record<string, Json>> = {};
  for (const operation of operations) {
    paths[operation.path] ??= {};
    paths[operation.path]![operation.method.toLowerCase()] = operationObject(operation, faults);
  }
  return {
    openapi: "3.1.0",
    info: { title, version: "1", description },
    security,
    paths,
    components: { securitySchemes, schemas: schemaObjects(schemas) },
  };
}

export function jsonSchema(schema: z.ZodType): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema);
  return rest;
}

function operationObject(operation: Described, possible: DocumentOptions["faults"]): Json {
  const { id, summary, parameters = [], body, status, answer, answerType, security } = operation;
  const faults = Object.entries(possible).map(([code, description]) => [
    code,
    { description, content: contentOf("Error") },
  ]);
  const good = answer === undefined ? {} : { content: contentOf(answer, answerType) };
  return {
    operationId: id,
    summary,
    ...(security !== undefined && { security }),
    parameters,
    ...(body !== undefined && { requestBody: { required: true, content: contentOf(body) } }),
    responses: { ...Object.fromEntries(faults), [status]: { description: summary, ...good } },
  };
}

function contentOf(name: string, type = JSON_TYPE): Json {
  return { [type]: { schema: { $ref: refTo(name) } } };
}

const refTo = (name: string) => `#/components/schemas/${name}`;

function schemaObjects(named: DocumentOptions["schemas"]): Json {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(named)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { uri: refTo });
  return Object.fromEntries(
    Object.entries(schemas).map(([name, { $schema: _, $id: __, ...schema }]) => [name, schema]),
  );
}
