/** The native column says what is missing instead of failing. */
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { measureNative } from "../../../bench/native.ts";

/** A folder as the only one that programs are found in, with a compiler that does `script`. */
async function onlyCompiler(script: string | undefined): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "mikey-sakke-cc-"));
  if (script !== undefined) {
    await writeFile(join(folder, "cc"), `#!/bin/sh\n${script}\n`);
    await chmod(join(folder, "cc"), 0o755);
  }
  vi.stubEnv("PATH", folder);
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true });
  });
}

it.each([
  [undefined, "No native column: no C compiler: install gcc."],
  [
    "echo 'fatal error: wolfssl/options.h: No such file or directory' >&2; exit 1",
    "No native column: install libwolfssl-dev.",
  ],
  [
    "echo '/bin/ld: cannot find -lwolfssl: No such file' >&2; exit 1",
    "No native column: install libwolfssl-dev.",
  ],
])("the native benchmark names a missing compiler or library", async (script, note) => {
  await onlyCompiler(script);
  expect(measureNative(1, 1)).toEqual({ rows: {}, notes: [note] });
});

it("the native benchmark reads the program's output, single operations for those of a batch", async () => {
  const timing = { best: 1, median: 2, samples: 3 };
  const output = JSON.stringify({ version: "9.9", rows: { "eccsi.sign.single": timing } });
  // $3 is the program to make: -O2 -o PROGRAM SOURCE -lwolfssl.
  await onlyCompiler(`echo "#!/bin/sh\necho '${output.replaceAll('"', '\\"')}'" > "$3"; /bin/chmod +x "$3"`);
  const { rows, notes } = measureNative(1, 1);
  expect(rows).toEqual({ "eccsi.sign.single": timing, "eccsi.sign.batch": timing });
  expect(notes[0]).toContain("wolfSSL 9.9");
});
