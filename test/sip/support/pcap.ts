/** A capture file of UDP datagrams, as tshark reads it: pcap with raw IPv4 packets (link type 101). */
export function pcap(datagrams: readonly { from: string; to: string; bytes: Uint8Array }[]): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(65535, 16);
  header.writeUInt32LE(101, 20);
  const parts: Buffer[] = [header];
  for (const [i, { from, to, bytes }] of datagrams.entries()) {
    const packet = Buffer.alloc(28 + bytes.length);
    packet.writeUInt16BE(0x4500, 0);
    packet.writeUInt16BE(packet.length, 2);
    packet.writeUInt8(64, 8);
    packet.writeUInt8(17, 9);
    for (const [at, address] of [
      [0, from],
      [1, to],
    ] as const) {
      const [ip, port] = address.split(":") as [string, string];
      packet.set(ip.split(".").map(Number), 12 + 4 * at);
      packet.writeUInt16BE(Number(port), 20 + 2 * at);
    }
    packet.writeUInt16BE(8 + bytes.length, 24);
    packet.set(bytes, 28);
    const record = Buffer.alloc(16);
    record.writeUInt32LE(i, 0);
    record.writeUInt32LE(packet.length, 8);
    record.writeUInt32LE(packet.length, 12);
    parts.push(record, packet);
  }
  return Buffer.concat(parts);
}
