/** Tests what the file store of an MCX server keeps at most. */
import { expect, it } from "vitest";
import { FileStore } from "../../../roles/mcx/files/file-store.ts";
import { seededRandom } from "../../support/random.ts";

const TOTAL = 64 << 10;

function openStore() {
  const clock = { now: 0 };
  const store = new FileStore({
    totalBytes: TOTAL,
    keepMs: 1000,
    now: () => clock.now,
    random: seededRandom("files"),
  });
  const put = (sender: string, size: number) =>
    store.put({ audience: { group: "sip:fire@example.org" }, sender, octets: new Uint8Array(size) });
  return { clock, put };
}

/** Returns how many files of that size are taken, of a hundred. */
function fill(put: (size: number) => string, size: number): number {
  for (let count = 0; count < 100; count++) {
    try {
      put(size);
    } catch (error) {
      expect(error).toMatchObject({ code: "FILES_FULL" });
      return count;
    }
  }
  return 100;
}

it("empty files count too, a user may fill a quarter of the store, and expired files make room", () => {
  const { clock, put } = openStore();
  const of = (user: string) => fill((size) => put(user, size), 0);
  expect(["a", "b", "c", "d", "e"].map(of)).toEqual([16, 16, 16, 16, 0]);
  clock.now = 1000;
  expect(of("e")).toBe(16);
  expect(of("a")).toBe(16);
});

it("a file that is larger than a user's share is refused", () => {
  const { put } = openStore();
  expect(fill((size) => put("a", size), TOTAL / 4)).toBe(0);
  expect(fill((size) => put("a", size), TOTAL / 4 - 1024)).toBe(1);
});
