// Verify a Hexgate bundle and decide tool calls with it: the runtime for Node >= 20 and browsers, without dependencies.
//
// The formats are docs/bundle.md (B), docs/abi.md (A) and docs/language.md (L, P); the Python runtime is held to the same vectors and
// the same cases. What a host without WebAssembly fuel cannot do is to end a hostile module's loop: that takes a trusted signature.

export const RUNTIME_VERSION = "0.1.0";
export const ABI_VERSION = 1n;

const LIMITS = {fuel: 1_000_000_000n, memory: 16n << 20n, functions: 20_000n};
const MODULE_BYTES = 4 << 20;
const BUNDLE_BYTES = 16 << 20;
const PAYLOAD_BYTES = 4 << 20;
const OUTER_SIGNS = 8_192;
const REQUEST_BYTES = 65_536;
const REQUEST_DEPTH = 32;
const NAME_BYTES = 256;
const PAGE = 65_536;
const INT_MIN = -(2n ** 63n), INT_MAX = 2n ** 63n - 1n, UINT_MAX = 2n ** 64n - 1n;
const TIMESTAMP_MIN = -62_135_596_800n * 10n ** 9n, TIMESTAMP_MAX = 253_402_300_800n * 10n ** 9n - 1n;
const NUMBER_MAX = 2n ** 53n - 1n;

const UTF8 = new TextEncoder();
const STRICT_UTF8 = new TextDecoder("utf-8", {fatal: true, ignoreBOM: true});

// ---------------------------------------------------------------------------------------------------------------- values

/** A number that is a double even where it has no fraction, as JSON's `30.0` is. */
export class Double {
  constructor(value) {
    this.value = value;
    Object.freeze(this);
  }
}

/** An unsigned integer (CEL's uint), as a bigint. */
export class UInt {
  constructor(value) {
    this.value = value;
    Object.freeze(this);
  }
}

/** An instant, in nanoseconds since the epoch, as a bigint. */
export class Timestamp {
  constructor(nanoseconds) {
    this.nanoseconds = nanoseconds;
    Object.freeze(this);
  }
}

/** A span of time, in nanoseconds, as a bigint. */
export class Duration {
  constructor(nanoseconds) {
    this.nanoseconds = nanoseconds;
    Object.freeze(this);
  }
}

/** Stands for what the language has no value for (L1.5): it is a fault where a constraint reads it. */
export const UNSUPPORTED = Symbol("unsupported value");

// ------------------------------------------------------------------------------------------------------------------ JSON

/** Text that is not strict JSON (RFC 8259). */
export class JsonError extends Error {}

const JSON_DEPTH = 256;
const JSON_NUMBER_DIGITS = 4_300;
const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const BLANK = /[ \t\n\r]*/y;
const ESCAPES = {'"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t"};

/**
 * The value of a JSON text or of its UTF-8 bytes, read strictly: no duplicate keys, nothing after the value. Objects are Maps, integers
 * bigints, other numbers doubles. `depth` bounds nesting, `signs` commas and opening brackets. Throws JsonError.
 */
export function parseJson(source, depth = JSON_DEPTH, signs = Infinity) {
  let text = source;
  if (typeof source !== "string") {
    try {
      text = STRICT_UTF8.decode(source);
    } catch {
      throw new JsonError("the JSON is not UTF-8");
    }
  }
  let at = 0;
  const fail = (sentence) => {
    throw new JsonError(`${sentence} (at ${at})`);
  };
  let left = signs;
  const count = () => {
    left -= 1;
    if (left < 0) fail(`the JSON has more than ${signs} commas and brackets`);
  };
  const blank = () => {
    BLANK.lastIndex = at;
    BLANK.exec(text);
    at = BLANK.lastIndex;
  };
  const string = () => {
    let made = "";
    at += 1;
    for (;;) {
      PLAIN.lastIndex = at;
      made += PLAIN.exec(text)[0];
      at = PLAIN.lastIndex;
      if (text[at] === '"') {
        at += 1;
        return made;
      }
      if (text[at] !== "\\") fail("a string has no end, or a control character in it");
      const sign = text[at + 1];
      if (sign === "u") {
        const digits = text.slice(at + 2, at + 6);
        if (!/^[0-9a-fA-F]{4}$/.test(digits)) fail("an escape is malformed");
        made += String.fromCharCode(parseInt(digits, 16));
        at += 6;
      } else {
        if (!Object.hasOwn(ESCAPES, sign ?? "")) fail("an escape is malformed");
        made += ESCAPES[sign];
        at += 2;
      }
    }
  };
  const number = () => {
    const start = at;
    NUMBER.lastIndex = at;
    const found = NUMBER.exec(text);
    if (found === null) fail("not JSON");
    at = NUMBER.lastIndex;
    if (found[1] === undefined && found[2] === undefined) {
      if (found[0].length > JSON_NUMBER_DIGITS) fail("an integer has too many digits");
      return BigInt(found[0]);
    }
    const value = Number(text.slice(start, at));
    return Number.isInteger(value) ? new Double(value) : value;
  };
  const list = (level) => {
    const made = [];
    at += 1;
    blank();
    if (text[at] === "]") {
      at += 1;
      return made;
    }
    for (;;) {
      made.push(value(level));
      blank();
      const sign = text[at];
      at += 1;
      if (sign === "]") return made;
      if (sign !== ",") fail("a list goes on without a comma");
      count();
    }
  };
  const object = (level) => {
    const made = new Map();
    at += 1;
    blank();
    if (text[at] === "}") {
      at += 1;
      return made;
    }
    for (;;) {
      blank();
      if (text[at] !== '"') fail("a key is not a string");
      const key = string();
      if (made.has(key)) fail("a key comes twice in one object");
      blank();
      if (text[at] !== ":") fail("a key has no value");
      at += 1;
      made.set(key, value(level));
      blank();
      const sign = text[at];
      at += 1;
      if (sign === "}") return made;
      if (sign !== ",") fail("an object goes on without a comma");
      count();
    }
  };
  const value = (level) => {
    blank();
    const sign = text[at];
    if (sign === "{" || sign === "[") {
      if (level >= depth) fail(`the JSON is nested deeper than ${depth}`);
      count();
      return sign === "{" ? object(level + 1) : list(level + 1);
    }
    if (sign === '"') return string();
    for (const [word, meaning] of [["true", true], ["false", false], ["null", null]]) {
      if (text.startsWith(word, at)) {
        at += word.length;
        return meaning;
      }
    }
    return number();
  };
  const made = value(0);
  blank();
  if (at !== text.length) fail("something follows the JSON value");
  return made;
}

// ----------------------------------------------------------------------------------------------------------- MessagePack

/** A request that is longer than `REQUEST_BYTES`. */
class TooLongError extends Error {}

/**
 * Writes the request (A2), in the shortest forms. Values of other types than the language has become the unsupported value. Throws
 * TooLongError as soon as the request is longer than any may be: what goes on for ever, or contains itself many times, ends there too.
 */
class Writer {
  constructor() {
    this.bytes = new Uint8Array(1_024);
    this.view = new DataView(this.bytes.buffer);
    this.length = 0;
  }

  room(count) {
    const at = this.length;
    this.length += count;
    if (this.length > REQUEST_BYTES) throw new TooLongError();
    if (this.length > this.bytes.length) {
      const larger = new Uint8Array(Math.max(2 * this.bytes.length, this.length));
      larger.set(this.bytes.subarray(0, at));
      this.bytes = larger;
      this.view = new DataView(larger.buffer);
    }
    return at;
  }

  byte(value) {
    const at = this.room(1);
    this.view.setUint8(at, value);
  }

  raw(bytes) {
    const at = this.room(bytes.length);
    this.bytes.set(bytes, at);
  }

  /** A number after a marker, in so many bytes. */
  sized(marker, value, size) {
    this.byte(marker);
    const at = this.room(size);
    if (size === 1) this.view.setUint8(at, value);
    else if (size === 2) this.view.setUint16(at, value);
    else this.view.setUint32(at, value);
  }

  array(count) {
    if (count < 16) this.byte(0x90 | count);
    else if (count < 0x10000) this.sized(0xdc, count, 2);
    else this.sized(0xdd, count, 4);
  }

  map(count) {
    if (count < 16) this.byte(0x80 | count);
    else if (count < 0x10000) this.sized(0xde, count, 2);
    else this.sized(0xdf, count, 4);
  }

  text(value) {
    if (value.length > REQUEST_BYTES) throw new TooLongError();
    const bytes = UTF8.encode(value);
    if (bytes.length < 32) this.byte(0xa0 | bytes.length);
    else if (bytes.length < 0x100) this.sized(0xd9, bytes.length, 1);
    else if (bytes.length < 0x10000) this.sized(0xda, bytes.length, 2);
    else this.sized(0xdb, bytes.length, 4);
    this.raw(bytes);
  }

  binary(bytes) {
    const count = lengthOf.call(bytes);
    if (count < 0x100) this.sized(0xc4, count, 1);
    else if (count < 0x10000) this.sized(0xc5, count, 2);
    else this.sized(0xc6, count, 4);
    const at = this.room(count);
    this.bytes.set(bytes, at);
  }

  unsupported() {
    this.raw([0xc7, 0, 0]);
  }

  wide(head, value, signed) {
    this.raw(head);
    const at = this.room(8);
    if (signed) this.view.setBigInt64(at, value);
    else this.view.setBigUint64(at, value);
  }

  instant(nanoseconds) {
    if (!isWithin(nanoseconds, TIMESTAMP_MIN, TIMESTAMP_MAX)) return this.unsupported();
    const rest = ((nanoseconds % 10n ** 9n) + 10n ** 9n) % 10n ** 9n;
    this.raw([0xc7, 12, 6]);
    const at = this.room(12);
    this.view.setUint32(at, Number(rest));
    this.view.setBigInt64(at + 4, (nanoseconds - rest) / 10n ** 9n);
  }

  /** The shortest form of an integer: the length of a request is part of the language (`request_too_large`). */
  integer(value) {
    if (value < INT_MIN || value > UINT_MAX) return this.unsupported();
    if (value > 0xffff_ffffn) return this.wide([0xcf], value, false);
    if (value < -0x8000_0000n) return this.wide([0xd3], value, true);
    const small = Number(value);
    if (small >= -32 && small < 0x80) return this.byte(small & 0xff);
    if (small >= 0) return small < 0x100 ? this.sized(0xcc, small, 1) : small < 0x10000 ? this.sized(0xcd, small, 2) : this.sized(0xce, small, 4);
    return small >= -0x80 ? this.sized(0xd0, small, 1) : small >= -0x8000 ? this.sized(0xd1, small, 2) : this.sized(0xd2, small, 4);
  }

  /** A double; to the module one that is not finite is an unsupported value (A2.3). */
  double(value) {
    this.byte(0xcb);
    const at = this.room(8);
    this.view.setFloat64(at, value);
  }

  /** A value with `depth` lists and maps around it; the request's own array is at 0. */
  value(value, depth) {
    switch (typeof value) {
      case "boolean":
        return this.byte(value ? 0xc3 : 0xc2);
      case "number":
        return Number.isSafeInteger(value) ? this.integer(BigInt(value)) : this.double(value);
      case "bigint":
        return this.integer(value);
      case "string":
        return value.isWellFormed() ? this.text(value) : this.unsupported();
      case "object":
        return value === null ? this.byte(0xc0) : this.object(value, depth);
      default:
        return this.unsupported();
    }
  }

  object(value, depth) {
    if (Array.isArray(value)) return depth > REQUEST_DEPTH ? this.unsupported() : this.list(value, depth);
    if (isBytes(value)) return this.binary(value);
    switch (Object.getPrototypeOf(value)) {
      case Map.prototype:
        return depth > REQUEST_DEPTH ? this.unsupported() : this.entries(mapEntries(value), depth);
      case Object.prototype:
      case null:
        return depth > REQUEST_DEPTH ? this.unsupported() : this.entries(ownEntries(value), depth);
      case Double.prototype: {
        const number = ownMember(value, "value");
        return typeof number === "number" ? this.double(number) : this.unsupported();
      }
      case UInt.prototype: {
        const number = ownMember(value, "value");
        return isWithin(number, 0n, UINT_MAX) ? this.wide([0xd7, 1], number, false) : this.unsupported();
      }
      case Duration.prototype: {
        const span = ownMember(value, "nanoseconds");
        return isWithin(span, INT_MIN, INT_MAX) ? this.wide([0xd7, 2], span, true) : this.unsupported();
      }
      case Timestamp.prototype:
        return this.instant(ownMember(value, "nanoseconds"));
      case Date.prototype:
        return this.instant(instantOf(value));
      default:
        return this.unsupported();
    }
  }

  list(value, depth) {
    const count = value.length;
    this.array(count);
    for (let index = 0; index < count; index += 1) {
      const own = Object.getOwnPropertyDescriptor(value, index);
      this.value(own !== undefined && Object.hasOwn(own, "value") ? own.value : UNSUPPORTED, depth + 1);
    }
  }

  /** A map of entries, or the unsupported value where they are null. */
  entries(entries, depth) {
    if (entries === null) return this.unsupported();
    this.map(entries.length);
    for (const [key, member] of entries) {
      this.text(key);
      this.value(member, depth + 1);
    }
  }
}

// What a caller's object is, is asked of the language itself, since its own answers are code of the caller's.
const TYPED_ARRAY = Object.getPrototypeOf(Uint8Array.prototype);
const kindOf = Object.getOwnPropertyDescriptor(TYPED_ARRAY, Symbol.toStringTag).get;
const lengthOf = Object.getOwnPropertyDescriptor(TYPED_ARRAY, "length").get;
const sizeOf = Object.getOwnPropertyDescriptor(Map.prototype, "size").get;
const entriesOf = Map.prototype.entries;
const timeOf = Date.prototype.getTime;

const isWithin = (value, least, most) => typeof value === "bigint" && value >= least && value <= most;

/** Whether a value is a Uint8Array, as a Buffer is too. */
const isBytes = (value) => kindOf.call(value) === "Uint8Array";

/** Whether an object is a Map, rather than one with a Map's prototype. */
function isMap(object) {
  if (Object.getPrototypeOf(object) !== Map.prototype) return false;
  try {
    sizeOf.call(object);
    return true;
  } catch {
    return false;
  }
}

/** A member of a caller's object, without running a getter of it; null where there is none. */
function ownMember(object, name) {
  if (object === null || typeof object !== "object") return null;
  const own = Object.getOwnPropertyDescriptor(object, name);
  return own !== undefined && Object.hasOwn(own, "value") ? own.value : null;
}

/** The entries of a Map, or null where it is none, or a key is not Unicode text. */
function mapEntries(map) {
  if (!isMap(map)) return null;
  const entries = [...entriesOf.call(map)];
  return entries.every(([key]) => typeof key === "string" && key.isWellFormed()) ? entries : null;
}

/** The entries of a plain object, in its order, or null where one is a getter or not Unicode text: no code of a caller's runs. */
function ownEntries(object) {
  const entries = [];
  for (const key of Object.keys(object)) {
    const own = Object.getOwnPropertyDescriptor(object, key);
    if (own === undefined || !Object.hasOwn(own, "value") || !key.isWellFormed()) return null;
    entries.push([key, own.value]);
  }
  return entries;
}

/** Nanoseconds since the epoch of a Date; null for an invalid one, and for what only has a Date's prototype. */
function instantOf(date) {
  let milliseconds;
  try {
    milliseconds = timeOf.call(date);
  } catch {
    return null;
  }
  return Number.isInteger(milliseconds) ? BigInt(milliseconds) * 1_000_000n : null;
}

// ---------------------------------------------------------------------------------------------------------- policy table

const VERDICTS = new Set(["allow", "approval_required", "deny"]);
const RULE_REASONS = new Set(["rule", "constraint_failed", "evaluation_error"]);
const FIXED_REASONS = ["unknown_role", "unknown_tool", "malformed_request", "missing_user"];
const FIRST_OUTCOME = 8;
const FAULTS = [
  null, "no_such_overload", "no_such_key", "index_out_of_range", "divide_by_zero", "overflow", "invalid_argument", "duplicate_key",
  "unsupported_value", "not_a_bool", "undeclared_reference", "iteration_budget_exceeded", "allocation_budget_exceeded",
];
const TABLE_FORMAT = "hexgate.policy-table.v1";
const ROOTS = ["args", "attrs", "ctx", "resource"];

/** A policy table that is not in its one form. */
export class TableError extends Error {}

const requireThat = (holds, sentence = "the policy table is malformed") => {
  if (!holds) throw new TableError(sentence);
};

/** The members of an object: exactly these, in this order. */
function exactly(value, names) {
  requireThat(value instanceof Map && [...value.keys()].join() === names.join());
  return names.map((name) => value.get(name));
}

const textOf = (value) => {
  requireThat(typeof value === "string" && value.isWellFormed());
  return value;
};
const numberOf = (value) => {
  requireThat(typeof value === "bigint" && value >= 0n && value <= NUMBER_MAX);
  return Number(value);
};
const optional = (value, read) => (value === null ? null : read(value));
const listOf = (value, read) => {
  requireThat(Array.isArray(value));
  return value.map(read);
};

function readPlace(value) {
  requireThat(Array.isArray(value) && value.length === 4);
  const [file, line, column, length] = value;
  return Object.freeze({file: textOf(file), line: numberOf(line), column: numberOf(column), length: numberOf(length)});
}

function readRule(value) {
  const [role, tool, number, mode, place, constraints, message, approvers, expiresIn] = exactly(value, [
    "role", "tool", "number", "mode", "place", "constraints", "message", "approvers", "expires_in",
  ]);
  requireThat(VERDICTS.has(mode));
  return Object.freeze({
    role: optional(role, textOf),
    tool: textOf(tool),
    number: numberOf(number),
    mode,
    place: readPlace(place),
    constraints: Object.freeze(listOf(constraints, (one) => {
      requireThat(Array.isArray(one) && one.length === 5);
      return Object.freeze({text: textOf(one[0]), place: readPlace(one.slice(1))});
    })),
    message: optional(message, textOf),
    approvers: Object.freeze(listOf(approvers, textOf)),
    expires_in: optional(expiresIn, numberOf),
  });
}

function readOutcome(value, rules) {
  requireThat(Array.isArray(value) && value.length === 3 && RULE_REASONS.has(value[0]));
  const [reason, rule, constraint] = [value[0], numberOf(value[1]), optional(value[2], numberOf)];
  requireThat(rule < rules.length && (reason === "rule") === (constraint === null));
  requireThat(constraint === null || constraint < rules[rule].constraints.length);
  return {reason, rule: rules[rule], constraint: constraint === null ? null : rules[rule].constraints[constraint]};
}

/** What a tool's rules read of each root: sorted names, or "*" for all of it. */
function readReads(value) {
  requireThat(value instanceof Map);
  const names = [...value.keys()];
  const known = [...ROOTS, "now"].filter((name) => value.has(name));
  requireThat(names.join() === known.join() && (!value.has("now") || value.get("now") === true));
  const reads = {now: value.has("now")};
  for (const root of ROOTS) {
    const members = value.get(root) ?? [];
    if (members !== "*") {
      listOf(members, textOf);
      requireThat(!value.has(root) || members.length > 0);
      requireThat(members.every((name, index) => index === 0 || compareTexts(members[index - 1], name) < 0));
    }
    reads[root] = members;
  }
  return reads;
}

/** The order of texts by code points. */
function compareTexts(left, right) {
  const [one, other] = [[...left], [...right]];
  for (let index = 0; index < one.length && index < other.length; index += 1) {
    const difference = one[index].codePointAt(0) - other[index].codePointAt(0);
    if (difference !== 0) return difference;
  }
  return one.length - other.length;
}

/** The policy table of the bytes of `policy.json`. Throws TableError. */
export function readTable(bytes) {
  let document;
  try {
    document = parseJson(bytes);
  } catch (error) {
    if (error instanceof JsonError) throw new TableError("the policy table is malformed");
    throw error;
  }
  const [format, roles, rules, outcomes, reads] = exactly(document, ["format", "roles", "rules", "outcomes", "reads"]);
  requireThat(format === TABLE_FORMAT, "the policy table has another format");
  const [tools, patterns, otherwise] = exactly(reads, ["tools", "patterns", "default"]);
  requireThat(tools instanceof Map);
  const table = {roles: new Set(listOf(roles, textOf)), rules: listOf(rules, readRule)};
  requireThat(table.roles.size === roles.length, "the policy table names a role twice");
  table.outcomes = listOf(outcomes, (one) => readOutcome(one, table.rules));
  table.tools = new Map([...tools].map(([tool, members]) => [textOf(tool), readReads(members)]));
  table.patterns = listOf(patterns, (one) => {
    requireThat(Array.isArray(one) && one.length === 2);
    return [textOf(one[0]), readReads(one[1])];
  });
  table.otherwise = readReads(otherwise);
  requireThat(sameBytes(bytes, UTF8.encode(toAscii(document))), "the policy table is not in its one form");
  return table;
}

/** The JSON text without white space, in ASCII, of what `parseJson` read: its integers, texts, lists and objects. */
function toAscii(value) {
  if (value instanceof Map) return `{${[...value].map(([key, member]) => `${toAscii(key)}:${toAscii(member)}`).join()}}`;
  if (Array.isArray(value)) return `[${value.map(toAscii).join()}]`;
  if (typeof value === "bigint") return value.toString();
  return JSON.stringify(value).replace(/[\u007f-\uffff]/g, (one) => (one === "\u007f" ? one : `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`));
}

function joinMembers(left, right) {
  return left === "*" || right === "*" ? "*" : [...new Set([...left, ...right])];
}

function joinReads(left, right) {
  const joined = {now: left.now || right.now};
  for (const root of ROOTS) joined[root] = joinMembers(left[root], right[root]);
  return joined;
}

/** What a host must send of a request for a tool (A2.4). */
function readsFor(table, tool) {
  const exact = table.tools.get(tool);
  if (exact !== undefined) return exact;
  return table.patterns
    .filter(([pattern]) => covers(pattern, tool))
    .reduce((reads, [, more]) => joinReads(reads, more), table.otherwise);
}

/** Whether a pattern, in which `*` stands for any run of characters, covers a name. */
function covers(pattern, name) {
  const [first, ...rest] = pattern.split("*");
  if (rest.length === 0) return pattern === name;
  if (!name.startsWith(first)) return false;
  let at = first.length;
  const last = rest.pop();
  for (const piece of rest) {
    const found = name.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return name.length - last.length >= at && name.endsWith(last);
}

// -------------------------------------------------------------------------------------------------------------- decisions

/** A module that this runtime does not run. */
export class ModuleError extends Error {}

class TrapError extends Error {}

/** Reads the sections of a module before it is compiled, and what the interface (A1) asks of them. Throws ModuleError. */
function requireSections(wasm, limits) {
  const fail = (sentence) => {
    throw new ModuleError(sentence);
  };
  if (wasm.length > MODULE_BYTES) fail("the module is too large");
  if (wasm.length < 8 || String(wasm.subarray(0, 8)) !== "0,97,115,109,1,0,0,0") fail("it is no WebAssembly module of version 1");
  let at = 8;
  const unsigned = () => {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      if (at >= wasm.length) fail("the module ends inside a number");
      const byte = wasm[at];
      at += 1;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    return fail("a number of the module is too long");
  };
  while (at < wasm.length) {
    const section = wasm[at];
    at += 1;
    const size = unsigned();
    const end = at + size;
    if (section === 0) fail("the module has a custom section");
    if (section === 2) fail("the module has imports");
    if (section === 8) fail("the module has a start function");
    if (section === 3 && unsigned() > Number(limits.functions)) fail("the module has too many functions");
    const tables = section === 4 ? unsigned() : 0;
    if (tables > 1) fail("the module has more than one table");
    if (tables === 1) {
      if (wasm[at] !== 0x70 || wasm[at + 1] !== 1) fail("the table has no fixed size");
      at += 2;
      const [least, most] = [unsigned(), unsigned()];
      if (least !== most || most > Number(limits.functions) + 1) fail("the table is too large, or has no fixed size");
    }
    if (section === 5) {
      if (unsigned() !== 1 || wasm[at] !== 1) fail("the memory has no fixed size");
      at += 1;
      const [least, most] = [unsigned(), unsigned()];
      if (least !== most) fail("the memory has no fixed size");
      if (BigInt(least * PAGE) > limits.memory) fail("the memory is too large");
    }
    at = end;
  }
  if (at !== wasm.length) fail("the module ends inside a section");
}

const EXPORTS = {memory: "memory", input: "global", capacity: "global", abi: "global", decide: "function"};

/** A policy's module and table, ready to decide. One call at a time. */
export class Engine {
  #module;
  #table;
  #bundle;
  #clock;
  #call = null;
  #plans = new Map();

  /** Use `Engine.load`. */
  constructor(module, table, bundle, clock) {
    this.#module = module;
    this.#table = table;
    this.#bundle = bundle;
    this.#clock = clock;
    this.#renew();
  }

  /**
   * The engine of a module and the bytes of its table, unverified: for tests, and for hosts that verify by themselves. Throws TableError,
   * ModuleError.
   */
  static async load(wasm, tableBytes, {bundle = null, limits = LIMITS, clock = defaultClock} = {}) {
    const table = readTable(tableBytes);
    requireSections(wasm, limits);
    let module;
    try {
      module = await WebAssembly.compile(wasm);
    } catch {
      throw new ModuleError("the module does not compile");
    }
    const found = Object.fromEntries(WebAssembly.Module.exports(module).map(({name, kind}) => [name, kind]));
    const names = Object.keys(EXPORTS);
    if (Object.keys(found).length !== names.length || names.some((name) => found[name] !== EXPORTS[name])) {
      throw new ModuleError("the module's exports are not those of the interface");
    }
    return new Engine(module, table, bundle, clock);
  }

  /** The decision on one call. Never throws for anything in the call: what goes wrong decides `engine_fault`. */
  decide(tool, args, request = null) {
    let role = null;
    try {
      const user = ownMember(request, "user");
      role = ownMember(user, "role");
      const [id, attrs] = [ownMember(user, "userId"), ownMember(user, "attrs")];
      return this.#decide(tool, role, id, [attrs, args, ownMember(request, "ctx"), ownMember(request, "resource")], ownMember(request, "now"));
    } catch {
      // The one place that turns a failure into a denial. The instance that it went wrong in is thrown away.
      this.#call = null;
      return this.#fixed("engine_fault", nameOrNull(role), nameOrNull(tool));
    }
  }

  /** The module's own answer to an encoded request. Throws where it gives none. */
  answer(request) {
    this.#call ??= this.#renew();
    return this.#call(request);
  }

  #decide(tool, role, id, roots, now) {
    const refusal = this.#refusal(id, role, tool);
    if (refusal !== null) return this.#fixed(refusal, nameOrNull(role), nameOrNull(tool));
    const plan = this.#plan(role, tool);
    let request;
    try {
      request = this.#request(plan.reads, role, tool, id, roots, now);
    } catch (error) {
      if (!(error instanceof TooLongError)) throw error;
      return this.#fixed(this.#table.roles.has(role) ? "request_too_large" : "unknown_role", role, tool);
    }
    const answer = this.answer(request);
    let decision = plan.decisions.get(answer);
    if (decision === undefined) {
      decision = this.#lookUp(answer, role, tool);
      plan.decisions.set(answer, decision);
    }
    return decision;
  }

  /** Why a call cannot be decided from its names alone (P6), or null. */
  #refusal(id, role, tool) {
    if (!isName(id)) return "missing_user";
    if (!isName(role)) return "unknown_role";
    if (!isName(tool)) return this.#table.roles.has(role) ? "unknown_tool" : "unknown_role";
    return null;
  }

  #plan(role, tool) {
    const key = `${role.length}:${role}${tool}`;
    let plan = this.#plans.get(key);
    if (plan === undefined) {
      if (this.#plans.size >= 65_536) this.#plans.clear();
      plan = {reads: readsFor(this.#table, tool), decisions: new Map()};
      this.#plans.set(key, plan);
    }
    return plan;
  }

  #request(reads, role, tool, id, [attrs, args, ctx, resource], now) {
    const writer = new Writer();
    writer.array(8);
    for (const name of [role, tool, id]) writer.text(name);
    writer.value(project(reads.attrs, attrs), 1);
    writer.value(project(reads.args, args), 1);
    writer.value(project(reads.ctx, ctx), 1);
    writer.value(project(reads.resource, resource), 1);
    if (reads.now) writer.instant(now === null ? this.#clock() : now instanceof Date ? instantOf(now) : now);
    else writer.byte(0xc0);
    return writer.bytes.subarray(0, writer.length);
  }

  /** A new instance's call. */
  #renew() {
    const {exports} = new WebAssembly.Instance(this.#module);
    const {memory, decide} = exports;
    const [input, capacity, abi] = ["input", "capacity", "abi"].map((name) => exports[name].value);
    const regions = [input, capacity, abi].every(Number.isInteger) && input >= 0 && capacity >= REQUEST_BYTES;
    if (!regions || input + capacity > memory.buffer.byteLength) throw new ModuleError("the module's regions are outside its memory");
    if (BigInt(abi) !== ABI_VERSION) throw new ModuleError("the module has another interface");
    const region = new Uint8Array(memory.buffer, input, capacity);
    this.#call = (request) => {
      region.set(request);
      const answer = decide(request.length);
      if (!Number.isInteger(answer)) throw new TrapError("the answer is no number");
      return answer;
    };
    return this.#call;
  }

  /** The decision of an answer (A3). Throws TrapError for one that no module of this policy gives. */
  #lookUp(answer, role, tool) {
    const [outcome, fault] = [answer & 0xffffff, answer >>> 24];
    if (outcome < FIRST_OUTCOME) {
      if (fault !== 0 || outcome >= FIXED_REASONS.length) throw new TrapError("the answer is none of the interface's");
      return this.#fixed(FIXED_REASONS[outcome], role, tool);
    }
    const found = this.#table.outcomes[outcome - FIRST_OUTCOME];
    if (found === undefined || (fault !== 0) !== (found.reason === "evaluation_error") || (fault !== 0 && !FAULTS[fault])) {
      throw new TrapError("the answer is not in the policy's table");
    }
    const verdict = found.reason === "rule" ? found.rule.mode : "deny";
    return this.#made(verdict, found.reason, role, tool, found.rule, found.constraint, fault === 0 ? null : FAULTS[fault]);
  }

  #fixed(reason, role, tool) {
    return this.#made("deny", reason, role, tool, null, null, null);
  }

  #made(verdict, reason, role, tool, rule, constraint, fault) {
    const message = rule === null ? null : rule.message;
    return Object.freeze({verdict, reason, role, tool, rule, constraint, fault, message, bundle: this.#bundle});
  }

  /** The denial for a reason that the module is not asked about. Never throws. */
  deny(reason, tool, request) {
    let role = null;
    try {
      role = ownMember(ownMember(request, "user"), "role");
    } catch {
      // A Proxy's trap: it denies all the same, without the role.
    }
    return this.#fixed(reason, nameOrNull(role), nameOrNull(tool));
  }
}

const defaultClock = () => BigInt(Date.now()) * 1_000_000n;
const nameOrNull = (value) => (typeof value === "string" ? value : null);

/** Whether a value is a role, a tool name or a user id (P6). */
function isName(value) {
  return typeof value === "string" && value !== "" && value.length <= NAME_BYTES && value.isWellFormed() && UTF8.encode(value).length <= NAME_BYTES;
}

/** The part of a root that is read. What is not there is an empty map. */
function project(members, source) {
  if (source === null || source === undefined) return new Map();
  const entered = typeof source === "object" && isMap(source);
  const plain = typeof source === "object" && !entered && [Object.prototype, null].includes(Object.getPrototypeOf(source));
  if (!entered && !plain) return UNSUPPORTED;
  if (members === "*") return source;
  const part = new Map();
  for (const name of members) {
    if (entered) {
      if (Map.prototype.has.call(source, name)) part.set(name, Map.prototype.get.call(source, name));
    } else {
      const own = Object.getOwnPropertyDescriptor(source, name);
      if (own !== undefined && own.enumerable) part.set(name, Object.hasOwn(own, "value") ? own.value : UNSUPPORTED);
    }
  }
  return part;
}

// ------------------------------------------------------------------------------------------------------- keys and trust

/** A setting that cannot be used. */
export class KeyError extends Error {}

const P = 2n ** 255n - 19n;
const D = 37095705934669439343138083508754565189542113879843219016388785533085940283555n;
const ORDER_8 = 2707385501144840649318225287225658788936804267575313519463743609750303402022n;
const SMALL_ORDER = new Set([0n, 1n, P - 1n, ORDER_8, P - ORDER_8]);
const KEY_DIGITS = /^[A-Za-z0-9_-]{43}$/;
const BUNDLE_NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const TRUSTED_KEYS = 16;

function power(base, exponent) {
  let [result, square, rest] = [1n, base % P, exponent];
  while (rest > 0n) {
    if (rest & 1n) result = (result * square) % P;
    square = (square * square) % P;
    rest >>= 1n;
  }
  return result;
}

/** The 32 bytes of `ed25519:<base64url>`: a point of large order in its one encoding (RFC 8032, 5.1.3). Throws KeyError. */
export function parsePublicKey(text) {
  const digits = text.startsWith("ed25519:") ? text.slice(8) : "";
  if (!KEY_DIGITS.test(digits)) throw new KeyError("a public key is `ed25519:` and 43 base64url digits");
  const raw = decodeBase64(`${digits.replaceAll("-", "+").replaceAll("_", "/")}=`);
  if (raw === null) throw new KeyError("a public key is in its one form of base64url");
  const y = raw.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n) & (2n ** 255n - 1n);
  if (y >= P) throw new KeyError("the public key is not in its canonical encoding");
  if (SMALL_ORDER.has(y)) throw new KeyError("the public key is a point of small order, under which anybody can sign");
  const square = ((y * y + P - 1n) * power(D * y * y + 1n, P - 2n)) % P;
  if (power(square, (P - 1n) / 2n) !== 1n) throw new KeyError("the public key is not a point of the curve");
  return raw;
}

/** What `parseTrust` has made: no other object says whom to trust, since one without keys or threshold would trust everybody. */
const TRUSTED = new WeakSet();

/** Whom to trust: `[threshold/]ed25519:…[,ed25519:…]`, and with `@…` after it the whole of HEXGATE_KEY. Throws KeyError. */
export function parseTrust(text) {
  if (typeof text !== "string") throw new KeyError("whom to trust is a text, or what `parseTrust` made of it");
  let [keys, threshold] = [text.split("@", 1)[0], 1];
  const slash = keys.indexOf("/");
  if (slash >= 0) {
    if (!/^[1-9][0-9]?$/.test(keys.slice(0, slash))) throw new KeyError("the threshold is a number from 1, without sign or leading zero");
    [threshold, keys] = [Number(keys.slice(0, slash)), keys.slice(slash + 1)];
  }
  const raw = keys.split(",").map(parsePublicKey);
  if (raw.length > TRUSTED_KEYS) throw new KeyError(`a trust root has at most ${TRUSTED_KEYS} keys`);
  if (new Set(raw.map(String)).size !== raw.length) throw new KeyError("a key stands twice");
  if (threshold > raw.length) throw new KeyError("the threshold is larger than the number of keys");
  const trust = Object.freeze({threshold, keys: Object.freeze(raw)});
  TRUSTED.add(trust);
  return trust;
}

// --------------------------------------------------------------------------------------------------------------- bundles

/** A bundle that is not one to trust. `refusal` is the word of the first check that failed (B4). */
export class BundleRefusedError extends Error {
  constructor(refusal, detail) {
    super(detail);
    this.refusal = refusal;
  }
}

const refuse = (refusal, detail) => {
  throw new BundleRefusedError(refusal, detail);
};

/** The bytes of base64 (RFC 4648, 4) in its one form; null for any other text. */
function decodeBase64(text) {
  if (typeof text !== "string" || text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return null;
  let binary;
  try {
    binary = atob(text);
  } catch {
    return null;
  }
  if (btoa(binary) !== text) return null;
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < bytes.length; index += 1) bytes[index] = binary.charCodeAt(index);
  return bytes;
}

function sameBytes(left, right) {
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}

const MEDIA_TYPE = "application/vnd.hexgate.bundle.v1+json";
const PAYLOAD_TYPE = "application/vnd.in-toto+json";
const STATEMENT_TYPE = "https://in-toto.io/Statement/v1";
const PREDICATE_TYPE = "urn:hexgate:bundle:v1";
const LONGEST_TEXT = 4_096;
const CLOCK_SKEW = 300n;

class MemberError extends Error {}

const must = (holds, sentence) => {
  if (!holds) throw new MemberError(sentence);
};

/** The members of a JSON object, which has exactly these, in any order. */
function membersOf(value, what, names) {
  must(value instanceof Map && value.size === names.length, `${what} has other members`);
  return names.map((name) => {
    must(value.has(name), `${what} has no \`${name}\``);
    return value.get(name);
  });
}

const read = {
  text(value, pattern = null) {
    must(typeof value === "string" && value.length <= 2 * LONGEST_TEXT && value.isWellFormed(), "a text is none");
    must([...value].length <= LONGEST_TEXT, "a text is too long");
    must(pattern === null || pattern.test(value), "a text has another form");
    return value;
  },
  number(value, least, most) {
    must(typeof value === "bigint" && value >= least && value <= most, "a number is none, or outside of its range");
    return value;
  },
  list(value, most) {
    must(Array.isArray(value) && value.length <= most, "a list is none, or too long");
    return value;
  },
  object(value, most) {
    must(value instanceof Map && value.size <= most, "an object is none, or too large");
    return value;
  },
  bytes(value) {
    const found = decodeBase64(value);
    must(found !== null, "base64 is not in its one form");
    return found;
  },
  sha256: (value) => read.text(value, /^[0-9a-f]{64}$/),
  /** Seconds since the epoch of `YYYY-MM-DDTHH:MM:SSZ`. */
  time(value) {
    const found = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z$/.exec(read.text(value));
    must(found !== null, "a time is none");
    const milliseconds = Date.parse(value);
    must(Number.isFinite(milliseconds) && milliseconds >= 0, "a time is none");
    must(new Date(milliseconds).toISOString() === value.replace("Z", ".000Z"), "a time is none");
    return BigInt(milliseconds / 1_000);
  },
};

/** What a bundle's file holds. Nobody has checked it. */
function readBundle(data) {
  if (data.length > BUNDLE_BYTES) refuse("too_large", "the bundle is too large");
  try {
    const [mediaType, dsse, files] = membersOf(parseJson(data, 5, OUTER_SIGNS), "the file", ["mediaType", "dsse", "artifacts"]);
    must(mediaType === MEDIA_TYPE, "`mediaType` is another");
    const [payloadType, payload, signatures] = membersOf(dsse, "`dsse`", ["payloadType", "payload", "signatures"]);
    const bundle = {
      payloadType: read.text(payloadType),
      payload: read.bytes(payload),
      signatures: read.list(signatures, 16).map((one) => {
        const [keyid, sig] = membersOf(one, "a signature", ["keyid", "sig"]);
        read.text(keyid);
        const value = read.bytes(sig);
        must(value.length >= 1 && value.length <= 1_024, "a signature is too short or too long");
        return value;
      }),
      artifacts: new Map([...read.object(files, 1_024)].map(([name, content]) => [name, read.bytes(content)])),
    };
    must(bundle.payload.length <= PAYLOAD_BYTES, "the payload is too long");
    if (bundle.payloadType !== PAYLOAD_TYPE) refuse("payload_type", "the payload is of another type");
    return bundle;
  } catch (error) {
    if (error instanceof JsonError || error instanceof MemberError) refuse("malformed", `the file is not a bundle: ${error.message}`);
    throw error;
  }
}

/** The trusted keys that have signed, each counted once by its bytes; a keyid is a hint. */
async function signersOf(bundle, trust) {
  const head = UTF8.encode(`DSSEv1 ${UTF8.encode(bundle.payloadType).length} ${bundle.payloadType} ${bundle.payload.length} `);
  const message = new Uint8Array(head.length + bundle.payload.length);
  message.set(head);
  message.set(bundle.payload, head.length);
  const signers = [];
  for (const raw of trust.keys) {
    const key = await crypto.subtle.importKey("raw", raw, {name: "Ed25519"}, false, ["verify"]);
    for (const signature of bundle.signatures) {
      if (signature.length === 64 && (await crypto.subtle.verify({name: "Ed25519"}, key, signature, message))) {
        signers.push(raw);
        break;
      }
    }
  }
  return signers;
}

/** The statement of a payload, every member of it read. */
function readStatement(payload) {
  try {
    const [type, subject, predicateType, predicate] = membersOf(parseJson(payload, 8), "the statement", [
      "_type", "subject", "predicateType", "predicate",
    ]);
    const types = [read.text(type), read.text(predicateType)];
    if (types[0] !== STATEMENT_TYPE || types[1] !== PREDICATE_TYPE) refuse("predicate_type", "the statement is about something else");
    const subjects = readSubjects(read.list(subject, 1_024));
    return {subjects, ...readPredicate(predicate, subjects)};
  } catch (error) {
    if (error instanceof JsonError || error instanceof MemberError || error instanceof KeyError) {
      refuse("malformed_statement", `the signed statement is malformed: ${error.message}`);
    }
    throw error;
  }
}

const ARTIFACT = /^(?:policy\.(?:wasm|json)|sources\/[^/\\\u0000-\u001f\u007f]+(?:\/[^/\\\u0000-\u001f\u007f]+)*)$/;

function readSubjects(items) {
  const subjects = new Map();
  for (const item of items) {
    const [name, digest] = membersOf(item, "a subject", ["name", "digest"]);
    read.text(name, ARTIFACT);
    must(!name.split("/").some((step) => step === "." || step === "..") && !subjects.has(name), "a subject climbs or comes twice");
    subjects.set(name, read.sha256(membersOf(digest, "a digest", ["sha256"])[0]));
  }
  return subjects;
}

function readPredicate(value, subjects) {
  const members = membersOf(value, "the predicate", [
    "name", "version", "issuedAt", "notAfter", "minRuntime", "abi", "limits", "audit", "identity", "toolSchemas", "compiler",
    "sourceDigest", "lengths", "vectors",
  ]);
  const [name, version, issuedAt, notAfter, minRuntime, abi, limits, audit, identity, schemas, compiler, source, lengths, vectors] = members;
  const [fuel, memory, functions] = membersOf(limits, "`limits`", ["fuel", "memory", "functions"]);
  const statement = {
    name: read.text(name, BUNDLE_NAME),
    version: read.number(version, 1n, NUMBER_MAX),
    issuedAt: read.time(issuedAt),
    notAfter: read.time(notAfter),
    minRuntime: read.text(minRuntime, /^(?:(?:0|[1-9]\d{0,5})\.){2}(?:0|[1-9]\d{0,5})$/),
    abi: read.number(abi, 0n, NUMBER_MAX),
    limits: {fuel: read.number(fuel, 0n, NUMBER_MAX), memory: read.number(memory, 0n, NUMBER_MAX), functions: read.number(functions, 0n, NUMBER_MAX)},
    audit: readAudit(audit),
    identity: readIdentity(identity),
    lengths: new Map(),
  };
  must(statement.notAfter > statement.issuedAt, "`notAfter` is not later than `issuedAt`");
  for (const [tool, digest] of read.object(schemas, 65_536)) read.text(tool) && read.sha256(digest);
  read.text(compiler);
  read.sha256(source);
  const names = [...subjects.keys()];
  membersOf(lengths, "`lengths`", names).forEach((length, index) => {
    statement.lengths.set(names[index], read.number(length, 0n, NUMBER_MAX));
  });
  statement.vectors = read.list(vectors, 64).map((one) => {
    const [request, answer] = membersOf(one, "a vector", ["request", "answer"]);
    return {request: read.bytes(request), answer: Number(read.number(answer, 0n, 2n ** 31n - 1n))};
  });
  return statement;
}

function readAudit(value) {
  const [mode, mask, hash] = membersOf(value, "`audit`", ["mode", "mask", "hash"]);
  const paths = [mask, hash].map((list) => read.list(list, 1_024).map((path) => read.text(path)));
  return {mode: read.text(mode, /^(?:written|durable)$/), mask: Object.freeze(paths[0]), hash: Object.freeze(paths[1])};
}

function readIdentity(value) {
  const [requireToken, rootKeys, revoked, audience] = membersOf(value, "`identity`", ["requireToken", "rootKeys", "revoked", "audience"]);
  must(typeof requireToken === "boolean", "`requireToken` is no bool");
  const ids = read.list(rootKeys, 16).map((one) => {
    const [id, key, notBefore, notAfter] = membersOf(one, "a key", ["id", "key", "notBefore", "notAfter"]);
    for (const time of [notBefore, notAfter]) if (time !== null) read.time(time);
    parsePublicKey(read.text(key));
    return read.number(id, 0n, 2n ** 32n - 1n);
  });
  must(new Set(ids).size === ids.length, "two keys have one id");
  read.list(revoked, 65_536).forEach((id) => read.text(id, /^(?:[0-9a-f]{2}){1,128}$/));
  if (audience !== null) read.text(audience);
  return {requireToken};
}

const versionOf = (text) => text.split(".").map(Number);

function isLater(one, other) {
  const [left, right] = [versionOf(one), versionOf(other)];
  const at = left.findIndex((number, index) => number !== right[index]);
  return at >= 0 && left[at] > right[at];
}

/** What was accepted last, as numbers; null where nothing was. */
function readFloor(floor) {
  if (floor === null || floor === undefined) return null;
  const {version, digest, seen} = Object(floor);
  if (![version, seen].every((number) => Number.isSafeInteger(number) && number >= 0) || !/^[0-9a-f]{64}$/.test(digest)) {
    throw new TypeError("`floor` is the `floor` of the bundle that was loaded last, or null");
  }
  return {version: BigInt(version), digest, seen: BigInt(seen)};
}

/** The bundle fits this runtime, the name that is asked for, the time, and what was accepted before. */
function requireCurrent(statement, digest, {name, now, floor}) {
  if (isLater(statement.minRuntime, RUNTIME_VERSION)) refuse("runtime_too_old", `the bundle asks for runtime ${statement.minRuntime}`);
  if (statement.abi !== ABI_VERSION) refuse("abi", `the module has interface ${statement.abi}`);
  for (const [what, most] of Object.entries(LIMITS)) if (statement.limits[what] > most) refuse("limits", `the bundle asks for too much ${what}`);
  if (statement.name !== name) refuse("wrong_name", `the bundle is signed as \`${statement.name}\``);
  if (statement.issuedAt > now + CLOCK_SKEW) refuse("not_yet_valid", "the bundle was issued in the future");
  const latest = floor !== null && floor.seen > now ? floor.seen : now;
  if (latest >= statement.notAfter) refuse("expired", "the bundle has expired");
  if (floor === null) return;
  if (statement.version < floor.version) refuse("rollback", "a later version has been accepted before");
  if (statement.version === floor.version && digest !== floor.digest) {
    refuse("same_version_other_content", "another content has been accepted as this version before");
  }
}

async function sha256(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function requireArtifacts(statement, artifacts) {
  for (const name of ["policy.wasm", "policy.json", ...statement.subjects.keys()]) {
    if (!artifacts.has(name) || !statement.subjects.has(name)) refuse("missing_artifact", `the bundle has no \`${name}\``);
  }
  if (artifacts.size > statement.subjects.size) refuse("extraneous_artifact", "the bundle has a file that nobody has signed");
  for (const [name, content] of artifacts) {
    if (BigInt(content.length) !== statement.lengths.get(name)) refuse("artifact_length", `\`${name}\` has another length`);
  }
  for (const [name, content] of artifacts) {
    if ((await sha256(content)) !== statement.subjects.get(name)) refuse("artifact_digest", `\`${name}\` is not the file that was signed`);
  }
}

/** A verified bundle, ready to decide. `floor` is what to hand over the next time. */
export class Bundle {
  #engine;
  #expires;
  #clock;
  #expired = false;

  /** Use `loadBundle`. */
  constructor(engine, statement, digest, floor, clock) {
    this.#engine = engine;
    this.#clock = clock;
    this.#expires = statement.notAfter * 10n ** 9n;
    this.name = statement.name;
    this.version = Number(statement.version);
    this.digest = digest;
    this.requireToken = statement.identity.requireToken;
    this.audit = Object.freeze(statement.audit);
    this.floor = Object.freeze(floor);
    Object.freeze(this);
  }

  /**
   * The decision on one call: a frozen object of schemas/decision.schema.json. Never throws for anything in the call.
   * `user` is `{userId, role, attrs}`; `now` a Date, or nanoseconds since the epoch as a bigint.
   */
  decide(tool, args, request = null) {
    const reason = this.#refusal();
    return reason === null ? this.#engine.decide(tool, args, request) : this.#engine.deny(reason, tool, request);
  }

  /** Why every call is denied now, or null. Once it is over it stays so: a clock moved back revives nothing. */
  #refusal() {
    if (!this.#expired) {
      let now = null;
      try {
        now = this.#clock();
      } catch {
        now = null;
      }
      if (typeof now !== "bigint") return "engine_fault";
      this.#expired = now >= this.#expires;
    }
    return this.#expired ? "bundle_expired" : this.requireToken ? "token_required" : null;
  }
}

/**
 * The bundle of a file's bytes, verified in the order of B4, loaded, its vectors replayed. Throws BundleRefusedError, and KeyError for `trust`.
 *
 * `trust` is a text for `parseTrust` or what that returns, `name` the name asked for, `now` seconds since the epoch, `floor` what was
 * accepted last ({version, digest, seen}) or null, `clock` gives nanoseconds since the epoch as a bigint.
 */
export async function loadBundle(data, {trust, name, now = null, floor = null, clock = defaultClock}) {
  const root = TRUSTED.has(trust) ? trust : parseTrust(trust);
  if (!isBytes(data)) throw new TypeError("a bundle is the Uint8Array of its file");
  const last = readFloor(floor);
  const seconds = now === null ? clock() / 10n ** 9n : BigInt(typeof now === "number" ? Math.floor(now) : now);
  const bundle = readBundle(data);
  if ((await signersOf(bundle, root)).length < root.threshold) refuse("signatures", "too few of the trusted keys have signed the bundle");
  const statement = readStatement(bundle.payload);
  const digest = await sha256(bundle.payload);
  requireCurrent(statement, digest, {name, now: seconds, floor: last});
  await requireArtifacts(statement, bundle.artifacts);
  const reference = Object.freeze({name: statement.name, version: Number(statement.version), digest});
  const engine = await loadEngine(bundle.artifacts, statement.limits, reference, clock);
  replay(engine, statement.vectors);
  const seen = [seconds, statement.issuedAt, last?.seen ?? 0n].reduce((most, one) => (one > most ? one : most));
  return new Bundle(engine, statement, digest, {version: reference.version, digest, seen: Number(seen)}, clock);
}

async function loadEngine(artifacts, limits, bundle, clock) {
  try {
    return await Engine.load(artifacts.get("policy.wasm"), artifacts.get("policy.json"), {bundle, limits, clock});
  } catch (error) {
    if (error instanceof TableError) refuse("table", error.message);
    if (error instanceof ModuleError || error instanceof WebAssembly.RuntimeError || error instanceof RangeError) refuse("module", error.message);
    throw error;
  }
}

/** Every vector's request through the module itself. */
function replay(engine, vectors) {
  for (const {request, answer} of vectors) {
    let found = null;
    try {
      found = request.length <= REQUEST_BYTES ? engine.answer(request) : null;
    } catch {
      found = null;
    }
    if (found !== answer) refuse("vectors", "the module does not give the signed answers");
  }
}

for (const kind of [JsonError, TableError, ModuleError, KeyError, BundleRefusedError]) {
  Object.defineProperty(kind.prototype, "name", {value: kind.name});
}
