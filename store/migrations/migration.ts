/** A step of the schema. What was released is never changed: a change is another step. */
export interface Migration {
  readonly name: string;
  readonly statements: readonly string[];
}
