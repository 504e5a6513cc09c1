/**
 * The exports of assembly/index.ts that the bindings call. All numbers are addresses, counts or status values;
 * what lies at an address is said at the function in assembly/.
 */
export interface WasmExports {
  heapBase(): number;
  workspaceBytes(): number;
  setWorkspace(address: number): void;
  isFused(): number;
  laneCount(): number;

  eccsiTableBytes(width: number): number;
  eccsiTableScratch(width: number): number;
  eccsiTable(table: number, width: number, point: number, scratch: number): number;
  eccsiMultiplyBaseScratch(tableG: number, n: number): number;
  eccsiMultiplyBase(
    tableG: number,
    n: number,
    scalars: number,
    output: number,
    status: number,
    scratch: number,
  ): void;
  eccsiSign(n: number, ssk: number, input: number, output: number, status: number): void;
  eccsiIssue(n: number, ksak: number, input: number, output: number, status: number): void;
  eccsiSignerPointScratch(): number;
  eccsiSignerPoint(out: number, pvt: number, kpak: number, hs: number, scratch: number): number;
  eccsiVerifyScratch(tableG: number, tableB: number): number;
  eccsiVerify(tableG: number, tableKpak: number, tableY: number, input: number, scratch: number): number;
  eccsiVerifyBatchScratch(tableG: number, tableKpak: number, n: number): number;
  eccsiVerifyBatch(
    tableG: number,
    tableKpak: number,
    n: number,
    input: number,
    status: number,
    scratch: number,
  ): void;

  sakkeTableBytes(width: number): number;
  sakkeTableScratch(width: number): number;
  sakkeTable(table: number, width: number, point: number, scratch: number): number;
  sakkePowersBytes(width: number): number;
  sakkePowersScratch(width: number): number;
  sakkePowers(table: number, width: number, scratch: number): void;
  sakkeEncapsulateScratch(tableP: number, tableZ: number, n: number): number;
  sakkeEncapsulate(
    tableP: number,
    tableZ: number,
    tableG: number,
    n: number,
    input: number,
    output: number,
    status: number,
    scratch: number,
  ): void;
  sakkePointScratch(tableA: number, tableB: number): number;
  sakkePoint(
    out: number,
    tableP: number,
    tableZ: number,
    tableT: number,
    input: number,
    scratch: number,
  ): number;
  sakkePowerScratch(): number;
  sakkePower(out: number, tableG: number, scalar: number, scratch: number): void;
  sakkeMultiplyBase(out: number, tableP: number, scalar: number, scratch: number): number;
  sakkeIssueScratch(tableP: number, n: number): number;
  sakkeIssue(
    tableP: number,
    n: number,
    identifiers: number,
    master: number,
    output: number,
    status: number,
    scratch: number,
  ): void;
  sakkeLinesBytes(): number;
  sakkeLinesScratch(): number;
  sakkeLines(lines: number, rsk: number, scratch: number): number;
  sakkeGeneratorLines(lines: number, scratch: number): void;
  sakkeOrder(point: number, scratch: number): number;
  sakkeCheckKey(linesP: number, linesZ: number, identifier: number, rsk: number, scratch: number): number;
  sakkeIsMasterSecret(z: number): number;
  sakkeIsGenerator(w: number): number;
  sakkePair(out: number, rsk: number, point: number, scratch: number): number;
  sakkePairPrepared(out: number, lines: number, point: number, scratch: number): number;
}
