// What callers of the JavaScript runtime can hand it that no other language has, one line for each: what it answers, or throws.

import {readFileSync} from "node:fs";
import {argv} from "node:process";
import {createContext, runInContext} from "node:vm";

import {Double, Duration, loadBundle, parseTrust, Timestamp, UInt} from "../../runtime_wasm/js/hexgate.js";

const [, , file, keys, seconds] = argv;
const data = new Uint8Array(readFileSync(file));
const start = BigInt(seconds) * 10n ** 9n;
const user = {userId: "alice", role: "clerk"};
let ran = 0;
const run = (value) => {
  ran += 1;
  return value;
};

async function show(label, act) {
  let found;
  try {
    found = await act();
  } catch (error) {
    found = `${error.constructor.name}: ${error.refusal ?? error.message}`;
  }
  console.log(`${label} | ${found}`);
}

const loaded = (options) => loadBundle(data, {trust: keys, name: "policy", clock: () => start, ...options});
const accepted = async (options) => `accepted ${(await loaded(options)).version}`;
const trust = parseTrust(keys);

await show("trust as text", () => accepted({}));
await show("trust as parsed", () => accepted({trust}));
await show("trust without keys", () => accepted({trust: {threshold: 0, keys: []}}));
await show("trust without threshold", () => accepted({trust: {keys: []}}));
await show("trust with one key twice", () => accepted({trust: {threshold: 2, keys: [trust.keys[0], trust.keys[0]]}}));
await show("trust changed", () => {
  trust.threshold = 0;
});
await show("no trust", () => accepted({trust: undefined}));
await show("no name", () => accepted({name: undefined}));
await show("seconds with a fraction", () => accepted({now: Number(seconds) + 0.5}));
await show("time that is none", () => accepted({now: NaN}));
await show("floor that is none", () => accepted({floor: {}}));
await show("floor of a text", () => accepted({floor: "3"}));
await show("floor without a digest", () => accepted({floor: {version: 1, seen: 1}}));
await show("floor below nothing", () => accepted({floor: {version: -1, seen: 1, digest: "0".repeat(64)}}));
await show("floor undefined", () => accepted({floor: undefined}));
await show("bundle as text", () => loadBundle(new TextDecoder().decode(data), {trust: keys, name: "policy", clock: () => start}));

let clock = () => start;
const bundle = await loaded({clock: () => clock()});
const verdict = (...call) => {
  const {verdict: found, reason, role, fault} = bundle.decide(...call);
  return [found, reason, role, fault].join(" ");
};
const pay = (amount, request = {user}) => verdict("pay", {amount}, request);

await show("number", () => pay(1));
await show("bigint", () => pay(1n));
await show("double", () => pay(new Double(1)));
await show("uint", () => pay(new UInt(1n)));
await show("fraction", () => pay(100.5));
await show("negative zero", () => pay(-0));
await show("uint outside of its range", () => pay(new UInt(2n ** 64n)));
await show("duration", () => pay(new Duration(1n)));
await show("timestamp", () => pay(new Timestamp(1n)));
await show("date", () => pay(new Date(0)));
await show("invalid date", () => pay(new Date(NaN)));
await show("buffer", () => pay(Buffer.from("x")));
await show("undefined", () => pay(undefined));
await show("symbol", () => pay(Symbol("x")));
await show("function", () => pay(() => run(1)));
await show("boxed number", () => pay(new Number(1)));
await show("object with valueOf", () => pay({valueOf: () => run(1)}));
await show("only a prototype: Map", () => pay(Object.create(Map.prototype)));
await show("only a prototype: Date", () => pay(Object.create(Date.prototype)));
await show("only a prototype: bytes", () => pay(Object.create(Uint8Array.prototype)));
await show("double with a getter", () => pay(Object.create(Double.prototype, {value: {get: () => run(1)}})));
await show("bytes that lie about their length", () => pay(Object.defineProperty(new Uint8Array(9), "length", {get: () => run(2)})));
await show("getter", () => verdict("pay", {get amount() { return run(1); }}, {user}));
await show("prototype", () => verdict("pay", Object.create({amount: 1}), {user}));
await show("Map", () => verdict("pay", new Map([["amount", 1]]), {user}));
await show("subclass of Map", () => verdict("pay", new (class extends Map {})([["amount", 1]]), {user}));
await show("object of another realm", () => verdict("pay", runInContext("({amount: 1})", createContext({})), {user}));
await show("proxy", () => verdict("pay", new Proxy({}, {getPrototypeOf: () => { throw new Error("trap"); }}), {user}));
await show("user as a proxy", () => verdict("pay", {}, {user: new Proxy({}, {getOwnPropertyDescriptor: () => { throw new Error("trap"); }})}));
await show("request with a getter", () => verdict("pay", {amount: 1}, {get user() { return run(user); }}));
await show("no request", () => verdict("pay", {amount: 1}, null));
await show("nothing", () => verdict());
await show("user with a getter", () => pay(1, {user: {get userId() { return run("alice"); }, role: "clerk"}}));

const cycle = [];
cycle.push(cycle, cycle);
let doubled = [];
for (let depth = 0; depth < 30; depth += 1) doubled = [doubled, doubled];
await show("list in itself", () => pay([cycle]));
await show("list of 2^30", () => pay(doubled));
await show("sparse list", () => pay(new Array(2 ** 32 - 1)));
await show("long text", () => pay("x".repeat(2 ** 28)));
await show("long text that is no Unicode", () => pay("\ud800".repeat(2 ** 20)));

Object.prototype.value = 1;
await show("getter under a polluted prototype", () => verdict("pay", {get amount() { return run(1); }}, {user}));
await show("user with a getter under a polluted prototype", () => pay(1, {user: {get userId() { return run("alice"); }, role: "clerk"}}));
delete Object.prototype.value;

await show("decision", () => {
  const made = bundle.decide("pay", {amount: 101}, {user});
  const parts = [made, made.rule, made.rule.place, made.rule.constraints, made.constraint, made.constraint.place, made.bundle];
  return parts.every(Object.isFrozen);
});
clock = () => NaN;
await show("clock that gives NaN", () => pay(1));
clock = () => Number(start);
await show("clock that gives a number", () => pay(1));
clock = () => { throw new Error("no clock"); };
await show("clock that throws", () => pay(1));
clock = () => 2n ** 62n;
await show("clock after the expiry", () => pay(1));
clock = () => start;
await show("clock moved back", () => pay(1));
console.log(`code of callers that ran | ${ran}`);
