/** Holds an OpenAPI document against a server: references, names, and the shapes of what each operation answers. */
import { expect } from "vitest";
import type { z } from "zod";

interface Content {
  readonly [type: string]: { readonly schema: { readonly $ref: string } };
}
export interface DescribedOperation {
  readonly operationId: string;
  readonly parameters: readonly { name: string; in: string; required: boolean; schema: object }[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { description: string; content?: Content }>>;
  readonly security?: readonly object[];
}
export interface OpenApi {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, DescribedOperation>>>>;
  readonly security: readonly object[];
  readonly components: {
    readonly schemas: Record<string, object>;
    readonly securitySchemes: Record<string, object>;
  };
}

export const operationsOf = ({ paths }: OpenApi) =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );

/** Version 3.1, unique names of operations, and every reference resolved. */
export function expectWhole(document: OpenApi): void {
  expect(document.openapi).toMatch(/^3\.1\./);
  const operations = operationsOf(document).map(({ operation }) => operation);
  const ids = operations.map(({ operationId }) => operationId);
  expect(new Set(ids).size).toBe(ids.length);
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]*)"/g)].map(([, ref]) => ref!);
  expect(references.length).toBeGreaterThan(ids.length);
  for (const ref of references) {
    expect(ref).toMatch(/^#\/components\/schemas\/\w+$/);
    expect(document.components.schemas).toHaveProperty(ref.split("/").at(-1)!);
  }
  for (const security of [document.security, ...operations.map(({ security = [] }) => security)]) {
    for (const name of security.flatMap((one) => Object.keys(one)))
      expect(document.components.securitySchemes).toHaveProperty(name);
  }
}

/** Holds answers against the document, and remembers which operations and statuses there were. */
export class AnswerCheck {
  readonly covered = new Set<string>();
  readonly #document: OpenApi;
  readonly #schemas: Readonly<Record<string, z.ZodType>>;

  constructor(document: OpenApi, schemas: Readonly<Record<string, z.ZodType>>) {
    this.#document = document;
    this.#schemas = schemas;
  }

  /** `lines`: an answer of JSON in lines, each of the shape. */
  async check(path: string, method: string, answer: Response): Promise<void> {
    const operation = this.#document.paths[path]![method.toLowerCase()]!;
    const text = await answer.text();
    const described = operation.responses[answer.status];
    expect(described, `${method} ${path} answers ${answer.status}: ${text}`).toBeDefined();
    if (answer.ok) this.covered.add(operation.operationId);
    const type = answer.headers.get("content-type")?.split(";")[0];
    if (described!.content === undefined) return expect(text, `${method} ${path}`).toBe("");
    const content = described!.content[type ?? ""];
    expect(content, `${method} ${path} answers ${type}`).toBeDefined();
    const name = content!.schema.$ref.split("/").at(-1)!;
    const values = type === "application/x-ndjson" ? text.trim().split("\n") : [text];
    for (const value of values) {
      const parsed = this.#schemas[name]!.safeParse(JSON.parse(value));
      expect(parsed.error, `${method} ${path}: ${value}`).toBeUndefined();
    }
  }
}
