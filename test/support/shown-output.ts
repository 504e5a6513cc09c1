/**
 * Compares what a page shows of a command's output, against what the command printed. In the page `…` stands for what
 * varies: for a part of a line, or on a line of its own for any number of lines. Columns may be narrower than they are
 * printed.
 */

/** The first line of `shown` that was not printed in its place; undefined where all were. */
export function firstDifference(shown: string, printed: string): string | undefined {
  const lines = shown.trimEnd().split("\n");
  const text = `${printed.trimEnd()}\n`;
  const start = (count: number) => new RegExp(`^${lines.slice(0, count).map(pattern).join("")}`);
  if (new RegExp(`${start(lines.length).source}$`).test(text)) return undefined;
  const good = lines.findIndex((_, i) => !start(i + 1).test(text));
  return good < 0 ? `the end, after: ${lines.at(-1)}` : lines[good];
}

function pattern(line: string): string {
  if (line.trim() === "…") return "(?:.*\\n)*?";
  const literal = line.trimEnd().replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return ` *${literal.trimStart().replace(/ {2,}/g, " +").replaceAll("…", ".*?")} *\\n`;
}
