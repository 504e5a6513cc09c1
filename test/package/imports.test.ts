/** Imports point downwards only: cli → roles → transport, store → bindings → the built module. */
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
  /** What files named *-node.ts may import besides. */
  node?: RegExp;
}

const HASHES = "@noble\\/hashes\\/[a-z0-9]+\\.js";
const NODE = "node:[a-z_/]+";
const only = (...names: string[]) => new RegExp(`^(?:${names.join("|")})$`);

const ROOMS: Record<string, Room> = {
  bindings: { rooms: ["bindings"], packages: only(HASHES, "@assemblyscript/loader") },
  transport: {
    rooms: ["transport", "bindings"],
    packages: only("saxes", HASHES),
    node: only(NODE, "ws", "libxml2-wasm"),
  },
  store: {
    rooms: ["store", "bindings"],
    packages: only(NODE, HASHES, "pg", "@electric-sql/pglite(/nodefs)?"),
  },
  "roles/client": {
    rooms: ["roles/client", "transport", "bindings"],
    packages: only(HASHES),
    node: only(NODE),
  },
  "roles/server": {
    rooms: ["roles/server", "transport", "bindings"],
    packages: only(NODE, "fastify", "jose", "pino", "prom-client", "zod"),
  },
  "roles/kms": {
    rooms: ["roles/kms", "roles/server", "transport", "store", "bindings"],
    packages: only(NODE, HASHES, "fastify", "prom-client", "zod"),
  },
  // A GMS is a client of the KMS.
  "roles/gms": {
    rooms: ["roles/gms", "roles/client", "roles/server", "transport", "store", "bindings"],
    packages: only(NODE, HASHES, "fastify", "prom-client", "zod"),
  },
  // It holds the rings of clients for the groups whose key it is given.
  "roles/mcx-server": {
    rooms: ["roles/mcx-server", "roles/client", "roles/server", "transport", "bindings"],
    packages: only(NODE, HASHES, "fastify", "prom-client", "zod"),
  },
  cli: {
    rooms: [
      "cli",
      "roles/client",
      "roles/server",
      "roles/kms",
      "roles/gms",
      "roles/mcx-server",
      "transport",
      "store",
      "bindings",
    ],
    packages: only(NODE, HASHES, "commander", "undici"),
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
    .filter((name) => name.endsWith(".ts"))
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
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(from, readFileSync(join(ROOT, from), "utf8"), ts.ScriptTarget.Latest));
  return found;
}

const isRelative = ({ to }: Import) => to.startsWith(".");
const targetOf = ({ from, to }: Import) => normalize(join(dirname(from), to));
/** Roles are rooms each, so that none imports another unless it says so. */
const roomOf = (path: string) => Object.keys(ROOMS).find((room) => path.startsWith(`${room}/`)) ?? path;
const show = ({ from, to }: Import) => `${from} imports ${to}`;

describe("imports", () => {
  it("are found in every room", () => {
    for (const room of Object.keys(ROOMS)) {
      expect(imports.filter(({ from }) => roomOf(from) === room).length, room).toBeGreaterThan(10);
    }
  });

  it("know a room for each role", () => {
    const roles = readdirSync(join(ROOT, "roles")).map((role) => `roles/${role}`);
    expect(roles.filter((role) => ROOMS[role] === undefined)).toEqual([]);
  });

  it("stay in their room or point downwards", () => {
    const upwards = imports
      .filter(isRelative)
      .filter((i) => !ROOMS[roomOf(i.from)]!.rooms.includes(roomOf(targetOf(i))));
    expect(upwards.map(show)).toEqual([]);
  });

  it("take only the packages of their room", () => {
    const foreign = imports
      .filter((i) => !isRelative(i))
      .filter(({ from, to }) => {
        const { packages, node } = ROOMS[roomOf(from)]!;
        return !packages.test(to) && !(from.endsWith("-node.ts") && node?.test(to));
      });
    expect(foreign.map(show)).toEqual([]);
  });

  it("reach what only Node has by a name that says so", () => {
    const isomorphic = (path: string) =>
      ROOMS[roomOf(path)]?.node !== undefined && !path.endsWith("-node.ts");
    const hidden = imports
      .filter(isRelative)
      .filter((i) => !i.typeOnly && isomorphic(i.from) && targetOf(i).endsWith("-node.ts"));
    expect(hidden.map(show)).toEqual([]);
  });

  it("make no circle", () => {
    const targets = new Map<string, string[]>();
    for (const i of imports.filter(isRelative)) {
      if (!i.typeOnly) targets.set(i.from, [...(targets.get(i.from) ?? []), targetOf(i)]);
    }
    const done = new Set<string>();
    const circles: string[] = [];
    const walk = (path: string, above: readonly string[]) => {
      if (above.includes(path)) circles.push([...above.slice(above.indexOf(path)), path].join(" → "));
      if (done.has(path) || above.includes(path)) return;
      for (const target of targets.get(path) ?? []) walk(target, [...above, path]);
      done.add(path);
    };
    for (const source of sources) walk(source, []);
    expect(circles).toEqual([]);
  });
});
