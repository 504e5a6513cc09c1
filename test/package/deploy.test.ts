/** What stands in deploy/ and docs/metrics.md fits the servers. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { createPrometheusMetrics as gmsMetrics } from "../../roles/gms/index.ts";
import { createPrometheusMetrics as kmsMetrics } from "../../roles/kms/index.ts";
import { metricsOf } from "../../roles/mcx/admin/metrics.ts";
import { admissionMetrics } from "../../roles/server/admission.ts";
import { certificateMetrics } from "../../roles/server/certificate-metrics.ts";
import { processMetrics } from "../../roles/server/process-metrics.ts";
import { Admission } from "../../transport/admission/admission.ts";

const fileOf = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const read = (name: string) => readFileSync(fileOf(name), "utf8");

const namesIn = (text: string) => new Set(Array.from(text.matchAll(/^# TYPE (\S+)/gm), ([, name]) => name!));

async function ownMetrics(): Promise<Set<string>> {
  const mcx = metricsOf({ sessions: () => [], clients: () => [], totals: () => ({}) });
  const admission = admissionMetrics(new Admission());
  const texts = [
    await gmsMetrics().text(),
    await kmsMetrics().text(),
    await mcx.text(),
    await admission(),
    await certificateMetrics(),
  ];
  return namesIn(texts.join("\n"));
}

/** Names of metrics in an expression of Prometheus. */
function used(text: string): Set<string> {
  const names = text.match(/\b(?:gms|kms|mcx|sockets|tls|process|nodejs)_[a-z0-9_]+/g) ?? [];
  return new Set(names.map((name) => name.replace(/_bucket$/, "")));
}

it.each(["alerts.yml", "dashboard.json"])(
  "deploy/observability/%s asks for metrics that exist",
  async (name) => {
    const there = new Set([...(await ownMetrics()), ...namesIn(await processMetrics())]);
    const asked = used(read(`deploy/observability/${name}`));
    expect(asked.size).toBeGreaterThan(5);
    expect([...asked].filter((metric) => !there.has(metric))).toEqual([]);
  },
);

it("docs/metrics.md has every metric of the servers, and no other", async () => {
  const listed = Array.from(read("docs/metrics.md").matchAll(/^\| `([a-z_]+)` \|/gm), ([, name]) => name!);
  expect(listed.toSorted()).toEqual([...(await ownMetrics())].toSorted());
});

it("the service of systemd is exposed by less than 2.0 of 10", (context) => {
  if (spawnSync("systemd-analyze", ["--version"]).status !== 0) {
    console.log("skipped: the service of systemd: systemd-analyze is missing");
    return context.skip();
  }
  const unit = fileOf("deploy/systemd/mikey-sakke.service");
  const run = spawnSync("systemd-analyze", ["security", "--offline=true", "--no-pager", unit], {
    encoding: "utf8",
  });
  const level = /Overall exposure level for \S+: ([\d.]+)/.exec(run.stdout)?.[1];
  expect(Number(level), run.stdout + run.stderr).toBeLessThan(2);
});
