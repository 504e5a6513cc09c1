/** A network between members: a seeded part of the datagrams is lost, the others take their time and overtake each other. */
import { addressKey, type DatagramAddress } from "../../../transport/datagram/ports.ts";
import { Medium } from "../../mcx/server/medium.ts";
import { VirtualClock } from "../../support/clock.ts";
import { seededRandom } from "../../support/random.ts";

export interface Weather {
  /** Lost datagrams per hundred. */
  readonly loss?: number;
  /** Milliseconds: at least, and at most so many more. */
  readonly delay?: number;
  readonly jitter?: number;
}

export class Net extends Medium {
  readonly clock = new VirtualClock();
  weather: Weather;
  /** Datagrams handed over, by where to. */
  readonly delivered = new Map<string, number>();

  constructor(seed: string, weather: Weather = {}) {
    super();
    this.weather = weather;
    const random = seededRandom(seed);
    const below = (end: number) => {
      const [high, low] = random(2);
      return ((high! * 256 + low!) / 65_536) * end;
    };
    this.deliver = (hand, to) => {
      const { loss = 0, delay = 0, jitter = 0 } = this.weather;
      if (below(100) < loss) return;
      const arrive = () => {
        const key = addressKey(to);
        this.delivered.set(key, (this.delivered.get(key) ?? 0) + 1);
        hand();
      };
      if (delay + jitter === 0) arrive();
      else this.clock.after(delay + below(jitter), arrive);
    };
  }

  deliveredTo(address: DatagramAddress): number {
    return this.delivered.get(addressKey(address)) ?? 0;
  }
}

/** A value that A-law carries as it is, and that is not silence. */
const LOUD = 1056;

/** 20 ms of speech that A-law carries as it is, and that tells its number. */
export function frameOf(number: number): Int16Array {
  const samples = new Int16Array(160);
  // The eight lowest values of A-law are 8, 24, ... 120.
  for (let i = 0; i < 8; i++) samples[i] = 8 + 16 * ((number >> (3 * i)) & 7);
  return samples.fill(LOUD, 8);
}

export function numberOf(frame: Int16Array): number {
  let number = 0;
  for (let i = 0; i < 8; i++) number |= ((frame[i]! - 8) >> 4) << (3 * i);
  return number;
}
