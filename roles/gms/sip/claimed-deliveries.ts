/** Messages that this process has claimed from the store and still owes an outcome. */
import type { ClaimedDelivery, DeliveryResult } from "../../../store/gms/records.ts";

export class ClaimedDeliveries {
  readonly #byMember = new Map<string, Map<number, ClaimedDelivery>>();

  add(claim: ClaimedDelivery): void {
    const there = this.#byMember.get(claim.memberUri) ?? new Map<number, ClaimedDelivery>();
    this.#byMember.set(claim.memberUri, there.set(claim.rekey, claim));
  }

  of(member: string): readonly ClaimedDelivery[] {
    return [...(this.#byMember.get(member)?.values() ?? [])];
  }

  has(member: string, rekey: number): boolean {
    return this.#byMember.get(member)?.has(rekey) ?? false;
  }

  /** Tries so far, that one included. */
  attempts(member: string, rekey: number): number {
    return this.#byMember.get(member)?.get(rekey)?.attempts ?? 1;
  }

  /** The outcome is known. */
  settle({ memberUri, rekey }: Pick<DeliveryResult, "memberUri" | "rekey">): void {
    const there = this.#byMember.get(memberUri);
    there?.delete(rekey);
    if (there?.size === 0) this.#byMember.delete(memberUri);
  }
}
