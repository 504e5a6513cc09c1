/** Floor arbitration by tables: each row is an event, and what is said to whom (TS 24.380 6.3.4, 6.3.5). */
import { describe, expect, it } from "vitest";
import { INDICATORS } from "../../../bindings/floor-control/index.ts";
import {
  DEFAULT_FLOOR_CONFIG,
  EMPTY_FLOOR,
  type FloorConfig,
  type FloorEvent,
  type FloorOutput,
  floorDeadline,
  floorStep,
} from "../../../roles/mcx/index.ts";

const CONFIG: FloorConfig = { ...DEFAULT_FLOOR_CONFIG, maxQueue: 2 };
type Row = readonly [at: number, event: string, said: readonly string[]];

/**
 * "request a 5", "emergency a", "release a", "join a 10": the number is a priority, by default 0 and for who joins 255.
 * "join-unqueued a" joins without a queue.
 */
function eventOf(line: string): FloorEvent {
  const [type, user = "", priority] = line.split(" ");
  if (type === "join" || type === "listen" || type === "join-unqueued") {
    const participant = {
      id: user,
      maxPriority: Number(priority ?? 255),
      receiveOnly: type === "listen",
      queueing: type !== "join-unqueued",
    };
    return { type: "join", participant };
  }
  if (type === "request") return { type, user, priority: Number(priority ?? 0) };
  if (type === "emergency") return { type: "request", user, priority: 0, isEmergency: true };
  return { type, user } as FloorEvent;
}

function show(output: FloorOutput): string {
  const { name, cause, queue, grantedParty, duration, indicator } = output.message;
  const to =
    "to" in output ? output.to : output.toAllBut === undefined ? "all" : `all but ${output.toAllBut}`;
  const emergency = indicator === INDICATORS.EMERGENCY ? "emergency" : indicator;
  const detail = [grantedParty, cause, duration, queue && `${queue.position}/${queue.priority}`, emergency];
  const details = detail.filter((value) => value !== undefined);
  return [`${to}: ${name.replace("Floor ", "")}`, ...details].join(" ");
}

function run(rows: readonly Row[], config = CONFIG) {
  let state = EMPTY_FLOOR;
  for (const [at, event, said] of rows) {
    const { state: next, messages } = floorStep(state, eventOf(event), at, config);
    expect({ at, event, said: messages.map(show) }).toEqual({ at, event, said });
    state = next;
  }
  return state;
}

const THREE: Row[] = [
  [0, "join a", ["a: Idle"]],
  [0, "join b", ["b: Idle"]],
  [0, "join c", ["c: Idle"]],
];

describe("floor arbitration for a member without a queue (no mc_queueing)", () => {
  it("is denied while another talks, and nobody else is denied for that", () => {
    run([
      ...THREE,
      [0, "join-unqueued d", ["d: Idle"]],
      [10, "request a", ["a: Granted 30", "all but a: Taken a"]],
      [20, "request d", ["d: Deny 1"]],
      [30, "request b", ["b: Queue Position Info 1/0"]],
      [40, "request d 9", ["d: Deny 1"]],
      [50, "release a", ["b: Granted 30", "all but b: Taken b"]],
    ]);
  });

  it("takes the floor with an emergency, and is told of no place in a queue meanwhile", () => {
    run([
      ...THREE,
      [0, "join-unqueued d", ["d: Idle"]],
      [10, "request a", ["a: Granted 30", "all but a: Taken a"]],
      [20, "emergency d", ["a: Revoke 4"]],
      [30, "emergency d", []],
      [40, "position d", []],
      [50, "release a", ["d: Granted 30 emergency", "all but d: Taken d emergency"]],
    ]);
  });
});

describe("emergencies in floor arbitration", () => {
  it("take the floor, whatever the member's priority, and all members are told", () => {
    run([
      [0, "join a", ["a: Idle"]],
      [0, "join b 0", ["b: Idle"]],
      [10, "request a 255", ["a: Granted 30", "all but a: Taken a"]],
      [20, "emergency b", ["b: Queue Position Info 1/255", "a: Revoke 4"]],
      [30, "release a", ["b: Granted 30 emergency", "all but b: Taken b emergency"]],
      [40, "join c", ["c: Taken b emergency"]],
    ]);
  });

  it("do not take the floor from each other", () => {
    run([
      ...THREE,
      [10, "emergency a", ["a: Granted 30 emergency", "all but a: Taken a emergency"]],
      [20, "emergency b", ["b: Queue Position Info 1/255"]],
      [30, "request c 255", ["c: Queue Position Info 2/255"]],
      [
        40,
        "release a",
        ["b: Granted 30 emergency", "all but b: Taken b emergency", "c: Queue Position Info 1/255"],
      ],
    ]);
  });

  it("can begin during a talk, and while a request is queued", () => {
    run([
      ...THREE,
      [10, "request a", ["a: Granted 30", "all but a: Taken a"]],
      [20, "request b", ["b: Queue Position Info 1/0"]],
      [1_010, "emergency a", ["a: Granted 29 emergency", "all but a: Taken a emergency"]],
      [1_020, "emergency a", ["a: Granted 29 emergency"]],
      [1_030, "emergency b", ["b: Queue Position Info 1/255"]],
      [1_040, "release a", ["b: Granted 30 emergency", "all but b: Taken b emergency"]],
    ]);
  });

  it("are refused to members who only listen", () => {
    run([...THREE, [10, "listen d", ["d: Idle"]], [20, "emergency d", ["d: Deny 5"]]]);
  });
});

describe("floor arbitration", () => {
  it("grants the floor, tells the others, and is idle after a release", () => {
    run([
      ...THREE,
      [10, "request a", ["a: Granted 30", "all but a: Taken a"]],
      [20, "join d", ["d: Taken a"]],
      [1_500, "request a", ["a: Granted 29"]],
      [2_000, "release a", ["all: Idle"]],
      [2_001, "release a", []],
    ]);
  });

  it("queues by priority, then by time, and tells positions", () => {
    run(
      [
        ...THREE,
        [0, "join d", ["d: Idle"]],
        [1, "request a", ["a: Granted 30", "all but a: Taken a"]],
        [2, "request b 5", ["b: Queue Position Info 1/5"]],
        [3, "request c 5", ["c: Queue Position Info 2/5"]],
        [
          4,
          "request d 9",
          ["d: Queue Position Info 1/9", "b: Queue Position Info 2/5", "c: Queue Position Info 3/5"],
        ],
        [5, "request c 5", ["c: Queue Position Info 3/5"]],
        [6, "position b", ["b: Queue Position Info 2/5"]],
        [7, "position a", ["a: Queue Position Info 255/0"]],
        [8, "release b", ["c: Queue Position Info 2/5"]],
        [9, "release a", ["d: Granted 30", "all but d: Taken d", "c: Queue Position Info 1/5"]],
        [10, "leave d", ["c: Granted 30", "all but c: Taken c"]],
      ],
      DEFAULT_FLOOR_CONFIG,
    );
  });

  it("keeps the place of members who ask again, and moves them when they ask with a higher priority", () => {
    run([
      ...THREE,
      [1, "request a", ["a: Granted 30", "all but a: Taken a"]],
      [2, "request b", ["b: Queue Position Info 1/0"]],
      [3, "request c", ["c: Queue Position Info 2/0"]],
      [4, "request c 7", ["c: Queue Position Info 1/7", "b: Queue Position Info 2/0"]],
    ]);
  });

  it("denies the floor to a listener, to a lone member, and when the queue is full or absent", () => {
    run([
      [0, "join a", ["a: Idle"]],
      [1, "request a", ["a: Deny 3"]],
      [2, "listen b", ["b: Idle"]],
      [3, "request b", ["b: Deny 5"]],
      [4, "join c", ["c: Idle"]],
      [4, "join d", ["d: Idle"]],
      [4, "join e", ["e: Idle"]],
      [5, "request a", ["a: Granted 30", "all but a: Taken a"]],
      [6, "request c", ["c: Queue Position Info 1/0"]],
      [6, "request d", ["d: Queue Position Info 2/0"]],
      [7, "request e", ["e: Deny 7"]],
      [8, "request stranger", []],
    ]);
    run(
      [...THREE, [1, "request a", ["a: Granted 30", "all but a: Taken a"]], [2, "request b", ["b: Deny 1"]]],
      { ...CONFIG, maxQueue: 0 },
    );
  });

  it("takes the floor from a member of lower priority, who may finish their word", () => {
    run([
      ...THREE,
      [1, "request a 199", ["a: Granted 30", "all but a: Taken a"]],
      [2, "request b 199", ["b: Queue Position Info 1/199"]],
      [3, "request c 201", ["c: Queue Position Info 1/201", "b: Queue Position Info 2/199", "a: Revoke 4"]],
      [4, "media a", []],
      [500, "release a", ["c: Granted 30", "all but c: Taken c", "b: Queue Position Info 1/199"]],
      [501, "request b 201", ["b: Queue Position Info 1/201"]],
    ]);
  });

  it("lets a pre-emption into a full queue", () => {
    const end = run([
      ...THREE,
      [0, "join d", ["d: Idle"]],
      [0, "join e", ["e: Idle"]],
      [1, "request a", ["a: Granted 30", "all but a: Taken a"]],
      [2, "request b", ["b: Queue Position Info 1/0"]],
      [2, "request c", ["c: Queue Position Info 2/0"]],
    ]);
    const { messages } = floorStep(end, eventOf("request d 255"), 3, CONFIG);
    expect(messages.map(show)).toContain("a: Revoke 4");
  });

  it("reduces a priority to the participant's limit", () => {
    run([
      [0, "join a", ["a: Idle"]],
      [0, "join b 50", ["b: Idle"]],
      [1, "request a 60", ["a: Granted 30", "all but a: Taken a"]],
      [2, "request b 255", ["b: Queue Position Info 1/50"]],
    ]);
  });

  it("revokes the floor after the talk limit, repeats that, and takes it away after the grace time", () => {
    const rows: Row[] = [...THREE, [0, "request a", ["a: Granted 30", "all but a: Taken a"]]];
    for (let at = 1000; at < 30_000; at += 1000) rows.push([at, "media a", []]);
    run([
      ...rows,
      [30_000, "time", ["a: Revoke 2"]],
      [30_900, "request b", ["b: Queue Position Info 1/0"]],
      [31_000, "time", ["a: Revoke 2"]],
      [31_500, "request a", ["a: Revoke 2"]],
      [33_000, "time", ["b: Granted 30", "all but b: Taken b"]],
      [33_001, "media a", []],
    ]);
  });

  it("takes the floor from a talker who stops sending media", () => {
    run([
      ...THREE,
      [0, "request a", ["a: Granted 30", "all but a: Taken a"]],
      [3_999, "media a", []],
      [7_998, "time", []],
      [7_999, "time", ["all: Idle"]],
    ]);
  });

  it("ends the talk of a member who is left alone or leaves", () => {
    run([
      [0, "join a", ["a: Idle"]],
      [0, "join b", ["b: Idle"]],
      [1, "request a", ["a: Granted 30", "all but a: Taken a"]],
      [2, "leave b", ["a: Revoke 1"]],
      [3, "release a", ["all: Idle"]],
    ]);
    run([
      [0, "join a", ["a: Idle"]],
      [0, "join b", ["b: Idle"]],
      [1, "request a", ["a: Granted 30", "all but a: Taken a"]],
      [1, "request b", ["b: Queue Position Info 1/0"]],
      [2, "leave a", ["b: Deny 3", "all: Idle"]],
    ]);
  });

  it("says when it next has something to do", () => {
    const granted = run([...THREE, [100, "request a", ["a: Granted 30", "all but a: Taken a"]]]);
    expect(floorDeadline(EMPTY_FLOOR, CONFIG)).toBeUndefined();
    expect(floorDeadline(granted, CONFIG)).toBe(4_100);
    const { state } = floorStep(granted, eventOf("request b 255"), 200, CONFIG);
    expect(floorDeadline(state, CONFIG)).toBe(1_200);
  });
});
