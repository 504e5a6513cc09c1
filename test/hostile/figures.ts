/** The figures of a run, for docs/hostile.md and for the analysis of a failed run. */
import type { RunReport } from "./run.ts";

export function figuresOf(report: RunReport) {
  const { attack, memory } = report;
  const mib = (octets: number) => Math.round(octets / (1 << 20));
  return {
    seed: report.seed,
    inputs: attack.sent,
    seconds: Math.round(report.seconds),
    kinds: sorted(attack.kinds),
    answers: sorted(attack.answers),
    refusals: sorted(report.accepted.refusals),
    honest: { calm: report.calm, attacked: report.attacked },
    memoryMiB: { before: mib(memory.before), most: mib(memory.most), after: mib(memory.after) },
    media: report.media,
    messages: { ...report.messages, ...report.texts, notBrought: report.accepted.notBrought },
    rekeys: { count: report.rekeys.length, slowestMs: Math.round(Math.max(...report.rekeys)) },
    accepted: {
      ...report.honest,
      bindings: report.honest.bindings.length,
      participants: report.honest.participants.length,
    },
    outsider: attack.subscribed,
    thirdParty: report.thirdParty.length,
  };
}

/** The most frequent first. */
function sorted(counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).sort(([, a], [, b]) => b - a));
}

export function summary(report: RunReport): string {
  const { honest, memoryMiB, ...figures } = figuresOf(report);
  const { calm, attacked } = honest;
  return [
    `hostile: seed ${report.seed}, ${figures.inputs} inputs in ${figures.seconds} s; MIKEY_SAKKE_SEED=${report.seed} repeats them`,
    `  kinds    ${JSON.stringify(figures.kinds)}`,
    `  answers  ${JSON.stringify(figures.answers)}`,
    `  refusals ${JSON.stringify(figures.refusals)}`,
    `  honest   alone:     ${calm.count} requests, median ${calm.median} ms, p99 ${calm.p99} ms, slowest ${calm.slowest} ms (${calm.what})`,
    `           attacked:  ${attacked.count} requests, median ${attacked.median} ms, p99 ${attacked.p99} ms, slowest ${attacked.slowest} ms (${attacked.what})`,
    `  memory   ${memoryMiB.before} MiB before, at most ${memoryMiB.most} MiB, ${memoryMiB.after} MiB in the end`,
    `  media    ${JSON.stringify(figures.media)}, messages ${JSON.stringify(figures.messages)}, rekeys ${JSON.stringify(figures.rekeys)}`,
    `  taken    ${JSON.stringify(figures.accepted)}, outsider ${JSON.stringify(figures.outsider)}, third party ${figures.thirdParty}`,
  ].join("\n");
}
