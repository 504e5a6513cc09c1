/** The titles of tests, as documents quote them and as a list of failures shows them. */
import { readFileSync } from "node:fs";
import ts from "typescript";

const ROOT = new URL("../../", import.meta.url);
/** Titles by file, as a table names the same file many times. */
const known = new Map<string, readonly string[]>();

/**
 * Returns the title of every test of a file behind those of the groups it is in, joined by " > ". A title with values of
 * a table or variables in it has their names: `%s`, `$name`, `${name}`. Tests that a helper of another file declares are
 * not among them.
 */
export function titlesOf(path: string): readonly string[] {
  const before = known.get(path);
  if (before !== undefined) return before;
  const source = ts.createSourceFile(path, readFileSync(new URL(path, ROOT), "utf8"), ts.ScriptTarget.Latest);
  const titles: string[] = [];
  const visit = (node: ts.Node, groups: readonly string[]): void => {
    const declared = declaration(node, source);
    const inside = declared?.isGroup ? [...groups, declared.title] : groups;
    if (declared !== undefined && !declared.isGroup) titles.push([...groups, declared.title].join(" > "));
    ts.forEachChild(node, (child) => visit(child, inside));
  };
  visit(source, []);
  known.set(path, titles);
  return titles;
}

/** `describe(title, …)`, `it.each(table)(title, …)`, and helpers such as `describeWith(program, path, title, …)`. */
function declaration(node: ts.Node, source: ts.SourceFile) {
  if (!ts.isCallExpression(node)) return undefined;
  const [name] = /^\w+/.exec(node.expression.getText(source)) ?? [""];
  if (!/^(?:describe|it$|with)/.test(name)) return undefined;
  const end = node.arguments.findIndex((argument) => ts.isArrowFunction(argument));
  const title = node.arguments.slice(0, Math.max(0, end)).findLast(isText);
  if (title === undefined) return undefined;
  return {
    isGroup: name.startsWith("describe"),
    title: title.getText(source).slice(1, -1).replaceAll('\\"', '"'),
  };
}

const isText = (node: ts.Node): boolean => ts.isStringLiteralLike(node) || ts.isTemplateExpression(node);
