// Writes docs/api/*.api.md: every name that the packages export, with its declaration, one file for each entry.
// node tools/api-report.mjs [--check]    reads dist/ (npm run build); --check compares and writes nothing.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const root = fileURLToPath(new URL("..", import.meta.url));
const FOLDER = join(root, "docs/api");

/** The reports by file name, from the declarations in dist/. */
function apiReports() {
  const packages = JSON.parse(readFileSync(join(root, "tools/packages.json"), "utf8"));
  const entries = packages.flatMap((owner) =>
    Object.entries(owner.entries).map(([path, source]) => ({
      name: `${owner.name}${path.slice(1)}`,
      file: join(root, "dist", source.replace(/\.ts$/, ".d.ts")),
    })),
  );
  const options = { noLib: true, types: [], module: ts.ModuleKind.NodeNext };
  const program = ts.createProgram(
    entries.map(({ file }) => file),
    options,
    ownModulesOnly(ts.createCompilerHost(options)),
  );
  const checker = program.getTypeChecker();
  return new Map(
    entries.map(({ name, file }) => {
      const source = program.getSourceFile(file);
      if (source === undefined) throw new Error(`${file} is missing: run "npm run build" first`);
      const names = checker.getExportsOfModule(
        checker.getSymbolAtLocation(source) ?? fail(`${file} exports nothing`),
      );
      const lines = names
        .toSorted((a, b) => (a.name < b.name ? -1 : 1))
        .map((symbol) => declarationOf(symbol, checker));
      const reportName =
        name
          .replace(/^mikey-sakke-?/, "")
          .replace(/^\//, "")
          .replaceAll("/", "-") || "index";
      return [`${reportName}.api.md`, `# ${name}\n\n\`\`\`ts\n${lines.join("\n\n")}\n\`\`\`\n`];
    }),
  );
}

/** The names of other packages stand in the declarations as they are, so their types need not be read. */
function ownModulesOnly(host) {
  const resolve = (name, from) =>
    name.startsWith(".")
      ? {
          resolvedFileName: join(dirname(from), name.replace(/\.[jt]s$/, ".d.ts")),
          extension: ts.Extension.Dts,
        }
      : undefined;
  host.resolveModuleNameLiterals = (literals, from) =>
    literals.map(({ text }) => ({ resolvedModule: resolve(text, from) }));
  return host;
}

/** The declarations behind an exported name, without comments and without members that only the package may use. */
function declarationOf(symbol, checker) {
  const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  const printer = ts.createPrinter({ removeComments: true });
  const texts = (target.declarations ?? []).map((declaration) => {
    const node = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration;
    const text = printer.printNode(ts.EmitHint.Unspecified, node, node.getSourceFile());
    return text
      .split("\n")
      .filter((line) => !/^\s*(private |#private;)/.test(line))
      .join("\n")
      .replace(/^(export )?(declare )?/, "export ");
  });
  if (texts.length === 0) fail(`${symbol.name} has no declaration`);
  const renamed = target.name === symbol.name ? "" : `// exported as ${symbol.name}\n`;
  return renamed + texts.join("\n");
}

function fail(message) {
  throw new Error(message);
}

/** Names of reports that differ from those in docs/api, are missing there, or are left over. */
function differingReports(reports) {
  const stored = new Map(readdirSync(FOLDER).map((file) => [file, readFileSync(join(FOLDER, file), "utf8")]));
  const files = new Set([...reports.keys(), ...stored.keys()]);
  return [...files].filter((file) => reports.get(file) !== stored.get(file)).toSorted();
}

const reports = apiReports();
if (process.argv.includes("--check")) {
  const differing = differingReports(reports);
  if (differing.length > 0) {
    console.error(`docs/api differs from the packages: ${differing.join(", ")}`);
    process.exitCode = 1;
  }
} else {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  for (const [file, text] of reports) writeFileSync(join(FOLDER, file), text);
  console.log(`${reports.size} reports in docs/api`);
}
