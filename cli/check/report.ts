/** The verdicts as text, as JSON and for JUnit. */
import { element, leaf, writeXml } from "../../documents/xml/xml-writer.ts";
import type { Json } from "../terminal/output.ts";
import type { Verdict } from "./case.ts";
import type { CaseResult } from "./run.ts";
import type { Exchange } from "./transcript.ts";

const VERDICTS: readonly Verdict[] = ["pass", "fail", "inconclusive", "not applicable"];

export function countsOf(results: readonly CaseResult[]): Readonly<Record<Verdict, number>> {
  const count = (verdict: Verdict) => results.filter((result) => result.verdict === verdict).length;
  return Object.fromEntries(VERDICTS.map((verdict) => [verdict, count(verdict)])) as Record<Verdict, number>;
}

/** One line, and what was said on the wire below what did not pass. */
export function linesOf(result: CaseResult): string[] {
  const { id, verdict, title, clause, reason, exchanges } = result;
  const head = `${id}  ${verdict.padEnd(14)}  ${title}`;
  if (verdict === "pass") return [head];
  const lines = [head, `         ${reason}  [${clause}]`];
  return verdict === "fail" ? [...lines, ...exchanges.flatMap(exchangeLines)] : lines;
}

function exchangeLines({ sent, received }: Exchange): string[] {
  const [first, ...rest] = sent.split("\n");
  const more = rest.length === 0 ? "" : ` (and ${rest.length} lines of body: --json shows them)`;
  return [...(sent === "" ? [] : [`         > ${first}${more}`]), `         < ${received.split("\n")[0]}`];
}

export function summaryOf(results: readonly CaseResult[]): string {
  const counts = countsOf(results);
  return VERDICTS.filter((verdict) => counts[verdict] > 0)
    .map((verdict) => `${counts[verdict]} ${verdict}`)
    .join(", ");
}

export function jsonOf(results: readonly CaseResult[]): Json {
  return results.map((result) => ({ ...result, exchanges: result.exchanges.map((one) => ({ ...one })) }));
}

/** The form that continuous integration reads; what is inconclusive or not applicable counts as skipped. */
export function junitOf(suite: string, results: readonly CaseResult[]): string {
  const counts = countsOf(results);
  const total = {
    tests: String(results.length),
    failures: String(counts.fail),
    errors: "0",
    skipped: String(counts.inconclusive + counts["not applicable"]),
    time: seconds(results.reduce((sum, { milliseconds }) => sum + milliseconds, 0)),
  };
  return writeXml(
    element("testsuites", total, [
      element("testsuite", { name: `mikey-sakke check ${suite}`, ...total }, results.map(caseNode)),
    ]),
  );
}

function caseNode({ id, title, clause, verdict, reason = "", exchanges, milliseconds }: CaseResult) {
  const wire = exchanges.map(({ sent, received }) => `> ${sent}\n< ${received}`).join("\n");
  return element("testcase", { classname: clause, name: `${id} ${title}`, time: seconds(milliseconds) }, [
    verdict === "fail" ? element("failure", { message: carried(reason) }, []) : undefined,
    verdict === "inconclusive" || verdict === "not applicable"
      ? element("skipped", { message: carried(`${verdict}: ${reason}`) }, [])
      : undefined,
    leaf("system-out", carried(wire)),
  ]);
}

/** Replaces the characters of received text that XML cannot carry. */
function carried(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\p{Surrogate}]/gu, "\ufffd");
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3);
}
