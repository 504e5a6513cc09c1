/** Revisions of the groups that somebody watches, as they were seen last. */
export class Revisions {
  readonly #seen = new Map<string, number>();

  /** The groups whose revision is another than before, with what the store says now. */
  changed(groups: readonly string[], now: ReadonlyMap<string, number>): string[] {
    const changed = groups.filter((group) => this.#seen.get(group) !== now.get(group));
    for (const group of changed) {
      const revision = now.get(group);
      if (revision === undefined) this.#seen.delete(group);
      else this.#seen.set(group, revision);
    }
    return changed;
  }

  /** Returns whether more was seen than a view shows. A view that shows more is noted. */
  areNewer(view: ReadonlyMap<string, number>): boolean {
    let newer = false;
    for (const [group, revision] of view) {
      const seen = this.#seen.get(group);
      if (seen === undefined) this.#seen.set(group, revision);
      else if (seen > revision) newer = true;
    }
    return newer;
  }

  /** Forgets those that nobody watches. */
  keep(groups: ReadonlySet<string>): void {
    for (const group of this.#seen.keys()) if (!groups.has(group)) this.#seen.delete(group);
  }
}
