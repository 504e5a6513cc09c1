/** Imports point downwards only: web → cli → roles → documents, store → bindings, transport → base; assembly stands alone. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

interface Room {
  /** Rooms at or below it. */
  rooms: string[];
  packages: RegExp;
  /** Packages that only files named *-node.ts may import. */
  node?: RegExp;
}

const HASHES = "@noble\\/hashes\\/[a-z0-9]+\\.js";
const NODE = "node:[a-z_/]+";
const only = (...names: string[]) => new RegExp(`^(?:${names.join("|")})$`);

/** The floors under store and roles. */
const BELOW = ["documents", "transport", "bindings", "base"];

const ROOMS: Record<string, Room> = {
  assembly: { rooms: ["assembly"], packages: only() },
  base: { rooms: ["base"], packages: only() },
  bindings: { rooms: ["bindings", "base"], packages: only(HASHES, "@assemblyscript/loader") },
  transport: {
    rooms: ["transport", "bindings", "base"],
    packages: only(HASHES),
    node: only(NODE, "ws"),
  },
  // A description of a call names addresses of datagrams.
  documents: {
    rooms: ["documents", "transport", "bindings", "base"],
    packages: only("saxes", HASHES),
    node: only("libxml2-wasm"),
  },
  store: {
    rooms: ["store", "bindings", "base"],
    packages: only(NODE, HASHES, "pg", "@electric-sql/pglite(/nodefs)?"),
  },
  "roles/identity": {
    rooms: ["roles/identity", ...BELOW],
    packages: only(HASHES),
    node: only(NODE),
  },
  "roles/group-keys": {
    rooms: ["roles/group-keys", "roles/identity", ...BELOW],
    packages: only(HASHES),
    node: only(NODE),
  },
  "roles/call": {
    rooms: ["roles/call", "roles/group-keys", "roles/identity", ...BELOW],
    packages: only(HASHES),
    node: only(NODE),
  },
  "roles/client": {
    rooms: ["roles/client", "roles/call", "roles/group-keys", "roles/identity", ...BELOW],
    packages: only(HASHES),
    node: only(NODE),
  },
  "roles/server": {
    rooms: ["roles/server", ...BELOW],
    packages: only(NODE, "@opentelemetry/api", "fastify", "jose", "pino", "prom-client", "zod"),
  },
  "roles/kms": {
    rooms: ["roles/kms", "roles/server", "store", ...BELOW],
    packages: only(NODE, HASHES, "fastify", "prom-client", "zod"),
  },
  // A GMS is a client of the KMS.
  "roles/gms": {
    rooms: ["roles/gms", "roles/group-keys", "roles/identity", "roles/server", "store", ...BELOW],
    packages: only(NODE, HASHES, "fastify", "prom-client", "zod"),
  },
  // It holds the rings of clients for the groups whose key it is given.
  "roles/mcx": {
    rooms: [
      "roles/mcx",
      "roles/call",
      "roles/group-keys",
      "roles/identity",
      "roles/server",
      "store",
      ...BELOW,
    ],
    packages: only(NODE, HASHES, "fastify", "prom-client", "zod"),
  },
  // It stands before the other servers.
  "roles/console": {
    rooms: ["roles/console", "roles/kms", "roles/gms", "roles/mcx", "roles/server", "store", ...BELOW],
    packages: only(NODE, "fastify", "zod"),
  },
  "web/client": {
    rooms: ["web/client", "roles/client", "roles/call", "roles/group-keys", "roles/identity", ...BELOW],
    packages: only(HASHES, "preact", "@preact/signals-core"),
  },
  // A dispatcher is a member: the workers of the page, and the parts that tell them what to do, are those of both.
  "web/console": {
    rooms: [
      "web/console",
      "web/client",
      "roles/client",
      "roles/identity",
      "roles/console",
      "roles/kms",
      "roles/gms",
      "roles/mcx",
      "store",
      ...BELOW,
    ],
    packages: only("preact(/hooks)?", "@preact/signals", "uplot"),
  },
  "web/play": {
    rooms: ["web/play", "web/client", "cli", "roles/gms", "base"],
    packages: only(NODE),
  },
  cli: {
    rooms: [
      "cli",
      "roles/client",
      "roles/call",
      "roles/group-keys",
      "roles/identity",
      "roles/server",
      "roles/kms",
      "roles/gms",
      "roles/mcx",
      "roles/console",
      "store",
      ...BELOW,
    ],
    packages: only(
      NODE,
      HASHES,
      "@evan/opus",
      "@evan/opus/wasm/index.mjs",
      "commander",
      "pkcs11js",
      "undici",
    ),
  },
};

interface Import {
  /** Path of the source from the repository's root. */
  from: string;
  to: string;
  typeOnly: boolean;
}

const sources = Object.keys(ROOMS).flatMap((room) =>
  readdirSync(join(ROOT, room), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => join(room, name)),
);
const imports = sources.flatMap(importsOf);

function importsOf(from: string): Import[] {
  const found: Import[] = [];
  const add = (to: ts.Expression | undefined, typeOnly: boolean) => {
    if (to !== undefined && ts.isStringLiteralLike(to)) found.push({ from, to: to.text, typeOnly });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node))
      add(node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword);
    if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly);
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node.arguments[0], false);
    if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, true);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(from, readFileSync(join(ROOT, from), "utf8"), ts.ScriptTarget.Latest));
  return found;
}

const isRelative = ({ to }: Import) => to.startsWith(".");
/** AssemblyScript names modules without the ending of their files. */
const targetOf = ({ from, to }: Import) =>
  normalize(join(dirname(from), roomOf(from) === "assembly" ? `${to}.ts` : to));
/** Roles are rooms each, so that none imports another unless it says so. */
const roomOf = (path: string) => Object.keys(ROOMS).find((room) => path.startsWith(`${room}/`)) ?? path;
const show = ({ from, to }: Import) => `${from} imports ${to}`;

describe("imports", () => {
  it("are found in every room", () => {
    for (const room of Object.keys(ROOMS)) {
      expect(imports.filter(({ from }) => roomOf(from) === room).length, room).toBeGreaterThan(0);
    }
  });

  it("have a room for each role", () => {
    const roles = readdirSync(join(ROOT, "roles")).map((role) => `roles/${role}`);
    expect(roles.filter((role) => ROOMS[role] === undefined)).toEqual([]);
  });

  it("stay in their room or point downwards", () => {
    const upwards = imports
      .filter(isRelative)
      .filter((i) => !ROOMS[roomOf(i.from)]!.rooms.includes(roomOf(targetOf(i))));
    expect(upwards.map(show)).toEqual([]);
  });

  it("of packages are those permitted to their room", () => {
    const foreign = imports
      .filter((i) => !isRelative(i))
      .filter(({ from, to }) => {
        const { packages, node } = ROOMS[roomOf(from)]!;
        return !packages.test(to) && !(from.endsWith("-node.ts") && node?.test(to));
      });
    expect(foreign.map(show)).toEqual([]);
  });

  it("of modules that only Node.js has come from files whose names say so", () => {
    const isomorphic = (path: string) =>
      ROOMS[roomOf(path)]?.node !== undefined && !path.endsWith("-node.ts");
    const hidden = imports
      .filter(isRelative)
      .filter((i) => !i.typeOnly && isomorphic(i.from) && targetOf(i).endsWith("-node.ts"));
    expect(hidden.map(show)).toEqual([]);
  });

  it("form no cycle, not even of types", () => {
    expect(circles((path) => path)).toEqual([]);
  });

  it("form no cycle between folders", () => {
    expect(circles(dirname)).toEqual([]);
  });
});

/** Chains of imports that come back to where they began; `nodeOf` gives a file or its folder. */
function circles(nodeOf: (path: string) => string): string[] {
  const targets = new Map<string, Set<string>>();
  for (const i of imports.filter(isRelative)) {
    const [from, to] = [nodeOf(i.from), nodeOf(targetOf(i))];
    if (from !== to) targets.set(from, (targets.get(from) ?? new Set()).add(to));
  }
  const done = new Set<string>();
  const found: string[] = [];
  const walk = (node: string, above: readonly string[]) => {
    if (above.includes(node)) found.push([...above.slice(above.indexOf(node)), node].join(" → "));
    if (done.has(node) || above.includes(node)) return;
    for (const target of targets.get(node) ?? []) walk(target, [...above, node]);
    done.add(node);
  };
  for (const node of targets.keys()) walk(node, []);
  return found;
}
