// One JSON string a line in, whom to trust; out: [threshold, ...keys in hex], or null where it is refused.

import {createInterface} from "node:readline";

import {KeyError, parseTrust} from "../../runtime_wasm/js/hexgate.js";

for await (const line of createInterface({input: process.stdin, crlfDelay: Infinity})) {
  let found = null;
  try {
    const {threshold, keys} = parseTrust(JSON.parse(line));
    found = [threshold, ...keys.map((raw) => Buffer.from(raw).toString("hex"))];
  } catch (error) {
    if (!(error instanceof KeyError)) throw error;
  }
  process.stdout.write(`${JSON.stringify(found)}\n`);
}
