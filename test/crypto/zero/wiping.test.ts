/** Linear memory is after every call as it was before, whether the call succeeded or failed. */
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { KmsMaster } from "../../../bindings/kms.ts";
import { errorCode } from "../../support/error-code.ts";
import { holds, MemoryWatch } from "../../support/memory.ts";
import { BUILDS } from "../../support/raw-core.ts";
import { ID, LIST, type Place, publicPlace, SECRETS } from "./calls.ts";

describe.each(BUILDS)("linear memory of the %s build", (build) => {
  let place: Place;
  let watch: MemoryWatch;

  beforeAll(async () => {
    place = await publicPlace(build);
  });
  beforeEach(() => {
    watch = new MemoryWatch(place.core);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it.each(LIST)("is as before after: $name", ({ outcome, call }) => {
    expect(errorCode(() => call(place))).toBe(outcome);
    expect(watch.changes()).toEqual([]);
  });

  it("is seen to change by calls that do not clear it: the watch and the search find such blocks", () => {
    vi.spyOn(place.core.arena, "release").mockImplementation(() => undefined);
    KmsMaster.load(place.core, SECRETS).issue(ID);
    expect(watch.changes()).not.toEqual([]);
    expect(holds(place.core, SECRETS.z)).toBe(true);
    expect(holds(place.core, SECRETS.ksak)).toBe(true);
  });
});
