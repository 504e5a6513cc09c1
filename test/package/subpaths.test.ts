/** Every sub-path of the package resolves and loads where it is installed, and nothing else does. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type App, makeApp, ROOT } from "../support/packed.ts";

const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
const subpaths = Object.keys(manifest.exports).filter((path) => path !== "./package.json");

describe("an application", () => {
  let app: App;

  beforeAll(() => {
    app = makeApp();
  });
  afterAll(() => app?.remove());

  /** Names that a module exports, or the code of the error that its import ends in. */
  function imported(name: string): string[] | string {
    const script = join(app.folder, "import.mjs");
    writeFileSync(
      script,
      `const out = await import(process.argv[2]).then(Object.keys, (error) => error.code ?? String(error));
       console.log(JSON.stringify(out));`,
    );
    return JSON.parse(execFileSync(process.execPath, [script, name], { cwd: app.folder, encoding: "utf8" }));
  }

  it.each(subpaths)("imports %s", (path) => {
    const names = imported(path.replace(/^\./, "mikey-sakke"));
    expect(Array.isArray(names), String(names)).toBe(true);
    expect(names).not.toEqual([]);
  });

  it("finds the KMS only under its own sub-path", () => {
    expect(imported("mikey-sakke/kms")).toContain("KmsMaster");
    expect(imported("mikey-sakke")).not.toContain("KmsMaster");
    expect(imported("mikey-sakke/client")).not.toContain("KmsMaster");
    expect(imported("mikey-sakke")).toEqual(
      expect.arrayContaining(["load", "SakkePublicKey", "EccsiSigner"]),
    );
  });

  it("finds the servers, and the client's storage in files, under their own sub-paths", () => {
    expect(imported("mikey-sakke/kms/server")).toContain("createKms");
    expect(imported("mikey-sakke/store")).toContain("openDatabase");
    expect(imported("mikey-sakke/client/file-storage")).toContain("FileStorage");
    expect(imported("mikey-sakke/client")).toEqual(
      expect.arrayContaining(["Provisioner", "IndexedDbStorage"]),
    );
    expect(imported("mikey-sakke/client")).not.toContain("FileStorage");
    expect(imported("mikey-sakke/kms-xml/schema")).toContain("KmsSchema");
    expect(imported("mikey-sakke/kms-xml")).not.toContain("KmsSchema");
    expect(imported("mikey-sakke/sip/node")).toContain("udpTransport");
    expect(imported("mikey-sakke/sip")).not.toContain("udpTransport");
  });

  it("cannot import what is not exported", () => {
    for (const inner of ["dist/bindings/core/core.js", "bindings/core/core.ts", "core", "sakke"])
      expect(imported(`mikey-sakke/${inner}`)).toBe("ERR_PACKAGE_PATH_NOT_EXPORTED");
  });
});
