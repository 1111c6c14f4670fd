// One JSON string a line in, the text to parse; out: its value, tagged as in runtime_wasm/js/line_protocol.js, or null where it is refused.

import {createInterface} from "node:readline";

import {Double, JsonError, parseJson} from "../../runtime_wasm/js/hexgate.js";

function tagged(value) {
  if (value === null) return [];
  if (typeof value === "boolean") return ["b", value];
  if (typeof value === "bigint") return ["i", value.toString()];
  if (typeof value === "string") return ["s", value];
  if (Array.isArray(value)) return ["l", ...value.map(tagged)];
  if (value instanceof Map) return ["m", ...[...value].map(([key, member]) => [key, tagged(member)])];
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, value instanceof Double ? value.value : value);
  return ["d", bits.getBigUint64(0).toString(16)];
}

for await (const line of createInterface({input: process.stdin, crlfDelay: Infinity})) {
  let found = null;
  try {
    found = tagged(parseJson(JSON.parse(line)));
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
  }
  process.stdout.write(`${JSON.stringify(found)}\n`);
}
