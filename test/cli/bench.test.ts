import { describe, expect, it } from "vitest";
import { runCli } from "./run-cli.ts";

interface Result {
  build: string;
  rows: { name: string; best: number; median: number; samples: number; bigintProducts: number }[];
  bigintProduct: { best: number };
}

describe("the bench command", () => {
  it("times every operation and compares it with BigInt", async () => {
    const run = await runCli(["bench", "--quick", "--json"]);
    expect(run).toMatchObject({ status: 0, stderr: "" });
    const { rows, bigintProduct, build } = run.json<Result>();
    expect(build).toBe("fma");
    expect(rows.map(({ name }) => name)).toContain("imessage.seal.batch");
    for (const { best, median, samples } of rows) {
      expect(best).toBeGreaterThan(0);
      expect(median).toBeGreaterThanOrEqual(best);
      expect(samples).toBeGreaterThan(0);
    }
    expect(bigintProduct.best).toBeGreaterThan(0);
  });

  it("prints a table, of the build that is asked for", async () => {
    const run = await runCli(["bench", "--quick", "--build", "simd"]);
    expect(run.status).toBe(0);
    expect(run.stdout).toMatch(/^WebAssembly build simd,/);
    expect(run.stdout).toMatch(/^ECCSI verify, known signer +[\d.]+ +[\d.]+ +\d+\/s +\d+$/m);
    expect((await runCli(["bench", "--build", "fast"])).status).toBe(2);
  });
});
