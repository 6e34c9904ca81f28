// What is done once all that one turn of the event loop brought has been read, from whatever connections: only then can what
// belongs together go on together.

/** Something that passes on what it gathered. */
export interface Gathering {
  passOn(): void;
}

let gathering: Gathering[] = [];

/** Calls `passOn` once when the turn is over. The caller sees to it that it does not ask twice. */
export function atEndOfTurn(stream: Gathering): void {
  if (gathering.push(stream) === 1) setImmediate(passOnAll);
}

function passOnAll(): void {
  const all = gathering;
  gathering = [];
  for (const each of all) each.passOn();
}
