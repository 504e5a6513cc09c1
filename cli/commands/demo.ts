/** `demo`: the main job in one go, with figures. */
import type { Command } from "commander";
import { load } from "../../bindings/index.ts";
import type { Context, Runner } from "../command.ts";
import { runScenario, type Step } from "../demo/scenario.ts";
import { integerOption } from "../options.ts";
import { EXIT, type ExitStatus, table } from "../output.ts";

interface Options {
  members: string;
}

export function registerDemo(parent: Command, runner: Runner): void {
  runner.define<[], Options>(
    parent,
    "demo",
    {
      summary: "KMS, GMS and a whole group in one go, with figures",
      description:
        "Make a KMS, issue keys to a GMS and the members of a group, seal a GMK to each member, and open each " +
        "message. Then a tampered and a replayed message and a removed member are refused. Nothing is written.",
      example: "mikey-sakke demo --members 1000",
    },
    (command) => command.option("--members <n>", "members of the group", "1000"),
    demo,
  );
}

async function demo({ output }: Context, options: Options): Promise<ExitStatus> {
  const members = integerOption(options.members, "--members", 2, 1_000_000);
  const started = performance.now();
  const core = await load();
  try {
    const build = core.build;
    const loadMs = performance.now() - started;
    const result = await runScenario(core, members, (label, total) => output.progress(label, total));
    const seconds = (performance.now() - started) / 1000;
    output.result(
      {
        status: "ok",
        build,
        loadMs: round(loadMs, 1),
        seconds: round(seconds, 2),
        ...result,
        steps: result.steps.map((step) => ({ ...step, ms: round(step.ms, 1), perSecond: rate(step) })),
        refusals: result.refusals.map((refusal) => ({ ...refusal })),
      },
      () => [
        "",
        `Group of ${members}, GMK-ID ${result.gmkId}, ${result.messageOctets} octets a message; WebAssembly build ${build}.`,
        "",
        ...table([
          ["step", "count", "time", "each", "rate"],
          ...result.steps.map((step) => [
            step.name,
            String(step.count),
            `${(step.ms / 1000).toFixed(2)} s`,
            `${(step.ms / step.count).toFixed(2)} ms`,
            `${rate(step)}/s`,
          ]),
        ]),
        "",
        ...table([
          ["refused", "check", "code"],
          ...result.refusals.map(({ what, check, code }) => [what, String(check), code]),
        ]),
        "",
        `${result.sealed} sealed, ${result.opened} opened, ${result.refusals.length} refused as they must be, in ${seconds.toFixed(1)} s.`,
      ],
    );
    return EXIT.accepted;
  } finally {
    core.destroy();
  }
}

function rate({ count, ms }: Step): number {
  return Math.round((1000 * count) / ms);
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
