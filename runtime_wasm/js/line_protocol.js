// One JSON text a line in, one a line out: how a program in another language asks this runtime. `hexgate test-parity` does, and the tests.
//
//   {"op": "load", "wasm": base64, "table": base64}                     -> {"ok": true}, or {"error": what}
//   {"op": "decide", "calls": [[tool, args, user, ctx, resource, now]]}  -> {"decisions": [text of each]}
//   {"op": "verify", "bundle": base64, "trust": text, "name": text, "now": seconds, "floor": object or null, "calls": [...]}
//                                                                       -> {"refusal": null, "decisions": [...]}, or {"refusal": word}
//
// Values of calls are tagged, since JSON does not have them all: [] is null, ["b", bool], ["i", digits], ["d", number or text], ["s", text],
// ["y", base64], ["l", ...values], ["m", [key, value]...], ["u", digits] a uint, ["t", digits] an instant, ["p", digits] a span of time, both in
// nanoseconds; ["j", text] what `parseJson` makes of a text; ["x"] is no value of the language. An instant of a call is digits or null.

import {createInterface} from "node:readline";

import {BundleRefusedError, Double, Duration, Engine, loadBundle, parseJson, Timestamp, UInt, UNSUPPORTED} from "./hexgate.js";

const DOUBLES = {NaN, Infinity, "-Infinity": -Infinity};
const bytesOf = (text) => new Uint8Array(Buffer.from(text, "base64"));

function valueOf(tagged) {
  const [tag, ...rest] = tagged;
  switch (tag) {
    case undefined:
      return null;
    case "b":
    case "s":
      return rest[0];
    case "i":
      return BigInt(rest[0]);
    case "d":
      return new Double(DOUBLES[rest[0]] ?? Number(rest[0]));
    case "y":
      return bytesOf(rest[0]);
    case "j":
      return parseJson(rest[0]);
    case "l":
      return rest.map(valueOf);
    case "m":
      return new Map(rest.map(([key, value]) => [Array.isArray(key) ? valueOf(key) : key, valueOf(value)]));
    case "u":
      return new UInt(BigInt(rest[0]));
    case "t":
      return new Timestamp(BigInt(rest[0]));
    case "p":
      return new Duration(BigInt(rest[0]));
    default:
      return UNSUPPORTED;
  }
}

function userOf(tagged) {
  if (tagged === null) return null;
  const [id, role, attrs] = tagged.map(valueOf);
  return {userId: id, role, attrs};
}

function decide(host, [tool, args, user, ctx, resource, now]) {
  const request = {user: userOf(user), ctx: valueOf(ctx), resource: valueOf(resource), now: now === null ? null : BigInt(now)};
  return JSON.stringify(host.decide(valueOf(tool), valueOf(args), request));
}

let engine = null;

async function answer({op, ...asked}) {
  if (op === "load") {
    engine = await Engine.load(bytesOf(asked.wasm), bytesOf(asked.table));
    return {ok: true};
  }
  if (op === "decide") return {decisions: asked.calls.map((call) => decide(engine, call))};
  try {
    const bundle = await loadBundle(bytesOf(asked.bundle), {...asked, clock: () => BigInt(asked.now) * 10n ** 9n});
    return {refusal: null, floor: bundle.floor, decisions: (asked.calls ?? []).map((call) => decide(bundle, call))};
  } catch (error) {
    if (error instanceof BundleRefusedError) return {refusal: error.refusal};
    throw error;
  }
}

for await (const line of createInterface({input: process.stdin, crlfDelay: Infinity})) {
  let found;
  try {
    found = await answer(JSON.parse(line));
  } catch (error) {
    found = {error: `${error.name}: ${error.message}`};
  }
  process.stdout.write(`${JSON.stringify(found)}\n`);
}
