// How many processes carry a gateway's traffic.

/** More would only wait for each other on any machine a gateway is started on by this project. */
const MOST = 64;

/** From the value of GOMAXPROCS; 1 when it is absent or not a positive number, as Go takes its own default then. */
export function wantedWorkers(goMaxProcs: string | undefined): number {
  if (goMaxProcs === undefined || !/^\d{1,6}$/.test(goMaxProcs)) return 1;
  return Math.min(Math.max(Number(goMaxProcs), 1), MOST);
}
