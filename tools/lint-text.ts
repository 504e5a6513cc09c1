/**
 * Part of `npm run lint`, for what biome leaves out: lines of Markdown and of assembly/, spaces at their ends, links to files
 * and sections. biome does not parse AssemblyScript, whose functions have decorators, and has no rules for Markdown.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { argv, exit } from "node:process";
import { fileURLToPath } from "node:url";

/** Characters of a line. Tables, code blocks and lines without a space, such as a URL, may be longer. */
export const MAX_LINE = 128;

/** Returns the faults of a text as "line: fault"; `sectionsOf` gives the anchors of a page, or undefined if there is none. */
export function faultsOf(
  path: string,
  text: string,
  sectionsOf: (page: string) => readonly string[] | undefined,
): string[] {
  const isMarkdown = path.endsWith(".md");
  const faults: string[] = [];
  let isCode = false;
  text.split("\n").forEach((line, i) => {
    const fault = (what: string) => faults.push(`${i + 1}: ${what}`);
    if (/[ \t]$/.test(line)) fault("space at the end of the line");
    if (isMarkdown && /^\s*```/.test(line)) isCode = !isCode;
    const isFree =
      isMarkdown && (isCode || line.startsWith("|") || !/\S\s+\S/.test(line.replace(/^[-*>\s]+/, "")));
    if (line.length > MAX_LINE && !isFree) fault(`${line.length} characters, where ${MAX_LINE} are allowed`);
    if (!isMarkdown || isCode) return;
    for (const target of linksOf(line)) {
      const [file, section] = target.split("#");
      const page = file === "" ? path : normalize(join(dirname(path), file!));
      const sections = sectionsOf(page);
      if (sections === undefined) fault(`no file for the link ${target}`);
      else if (section && page.endsWith(".md") && !sections.includes(section))
        fault(`no section for ${target}`);
    }
  });
  if (!text.endsWith("\n") || text.endsWith("\n\n")) faults.push("the end is not one line end");
  return faults;
}

/** Relative targets of Markdown links and of `href` and `src` in HTML. */
function linksOf(line: string): string[] {
  const targets = line.replaceAll(/`[^`]*`/g, "").matchAll(/\]\(([^)\s]+)\)|(?:href|src|srcset)="([^"]+)"/g);
  return Array.from(targets, ([, link, attribute]) => (link ?? attribute)!).filter(
    (to) => !/^[a-z]+:|^\//.test(to),
  );
}

/** Returns the anchors that GitHub gives the headings of a page. */
export function anchorsOf(markdown: string): string[] {
  const times = new Map<string, number>();
  const headings = markdown.replaceAll(/^```[\s\S]*?^```$/gm, "").matchAll(/^#+ (.+)$/gm);
  return Array.from(headings, ([, title]) => {
    const anchor = title!
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_\- ]/gu, "")
      .replaceAll(" ", "-");
    const before = times.get(anchor) ?? 0;
    times.set(anchor, before + 1);
    return before === 0 ? anchor : `${anchor}-${before}`;
  });
}

function main(): void {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const read = (path: string) => readFileSync(join(root, path), "utf8");
  const known = new Map<string, string[]>();
  const sectionsOf = (path: string) => {
    if (!existsSync(join(root, path))) return undefined;
    if (!known.has(path)) known.set(path, path.endsWith(".md") ? anchorsOf(read(path)) : []);
    return known.get(path);
  };
  const pages = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "*.md", "assembly"], {
    cwd: root,
  });
  const paths = pages.toString().trim().split("\n");
  const faults = paths
    // The recorded API quotes declarations, one on a line.
    .filter((path) => existsSync(join(root, path)) && !path.startsWith("docs/api/"))
    .flatMap((path) => faultsOf(path, read(path), sectionsOf).map((fault) => `${path}:${fault}`));
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) exit(1);
}

if (argv[1] === fileURLToPath(import.meta.url)) main();
