/** Runs the cases of a table one after the other and collects the verdicts. */
import { MikeySakkeError } from "../../base/errors.ts";
import { Judgement, type TestCase, type Verdict } from "./case.ts";
import type { Exchange, Transcript } from "./transcript.ts";

export interface CaseResult {
  readonly id: string;
  readonly title: string;
  readonly clause: string;
  readonly verdict: Verdict;
  /** Given with every verdict except pass. */
  readonly reason?: string;
  readonly exchanges: readonly Exchange[];
  readonly milliseconds: number;
}

/** The members that all peers have. */
export interface Peer {
  readonly transcript: Transcript;
  /** Whether anything came at all. */
  readonly reached: boolean;
  /** Gives up what the cases found out, keys and a subscription; not there where the caller does so. */
  close?(): void | Promise<void>;
}

/**
 * Runs all cases and closes the peer.
 *
 * @throws {MikeySakkeError} transport `SERVER_UNREACHABLE`, `SERVER_TIMEOUT`: nothing came at all, so that no case says
 * anything of the server
 */
export async function runCases<P extends Peer>(
  cases: readonly TestCase<P>[],
  peer: P,
  tell: (result: CaseResult) => void = () => undefined,
): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  try {
    for (const { id, title, clause, run } of cases) {
      const began = performance.now();
      const judgement = await judge(() => run(peer), peer);
      const result = {
        id,
        title,
        clause,
        ...judgement,
        exchanges: peer.transcript.take(),
        milliseconds: Math.round(performance.now() - began),
      };
      results.push(result);
      tell(result);
    }
  } finally {
    await peer.close?.();
  }
  return results;
}

async function judge(
  run: () => void | Promise<void>,
  peer: Peer,
): Promise<Pick<CaseResult, "verdict" | "reason">> {
  try {
    await run();
    return { verdict: "pass" };
  } catch (error) {
    if (error instanceof Judgement) return { verdict: error.verdict, reason: error.message };
    // What is wrong with the call, or with this program, is no verdict on the server.
    if (!(error instanceof MikeySakkeError) || error.kind === "usage") throw error;
    if (error.kind !== "transport") return { verdict: "fail", reason: `${error.code}: ${error.message}` };
    if (!peer.reached) throw error;
    return { verdict: "inconclusive", reason: `${error.code}: ${error.message}` };
  }
}
