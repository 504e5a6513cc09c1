/** The part of JSON Schema that the published vectors use: type, enum, pattern, required, properties, items, $ref. */

export interface Schema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean;
  readonly items?: Schema;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
}

/** Returns what is wrong, with the path of each. */
export function matches(value: unknown, schema: Schema, root: Schema, at = ""): string[] {
  if (schema.$ref !== undefined)
    return matches(value, root.$defs![schema.$ref.replace("#/$defs/", "")]!, root, at);
  if (schema.type !== undefined && typeOf(value) !== schema.type)
    return [`${at}: not of type ${schema.type}`];
  const faults: string[] = [];
  if (schema.enum !== undefined && !schema.enum.includes(value))
    faults.push(`${at}: ${value} is not in the enum`);
  if (schema.pattern !== undefined && !new RegExp(schema.pattern).test(value as string)) {
    faults.push(`${at}: not of the pattern ${schema.pattern}`);
  }
  if (Array.isArray(value)) {
    return [
      ...faults,
      ...value.flatMap((one, i) => (schema.items ? matches(one, schema.items, root, `${at}/${i}`) : [])),
    ];
  }
  if (typeof value !== "object" || value === null) return faults;
  const object = value as Record<string, unknown>;
  for (const name of schema.required ?? []) if (!(name in object)) faults.push(`${at}: without ${name}`);
  for (const [name, one] of Object.entries(object)) {
    const known = schema.properties?.[name];
    if (known !== undefined) faults.push(...matches(one, known, root, `${at}/${name}`));
    else if (schema.additionalProperties === false) faults.push(`${at}: ${name} is not known`);
  }
  return faults;
}

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return "array";
  if (value === null) return "null";
  return Number.isInteger(value) ? "integer" : typeof value;
}
